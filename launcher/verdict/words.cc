#include "launcher/verdict/words.h"

#include <algorithm>
#include <array>

namespace muster::verdict {
namespace {

char lower(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

// `part` is in lower case.
bool contains(std::string_view text, std::string_view part) {
  return std::search(text.begin(), text.end(), part.begin(), part.end(),
                     [](char a, char b) { return lower(a) == b; }) != text.end();
}

// In lower case. Each is said by a library about the other end, or about an operation that waits
// for all ranks; none is said by a failing program about itself.
constexpr std::array<std::string_view, 21> kComplaints = {
    "connection closed by peer",         // gloo
    "connection reset by peer",          // gloo, sockets
    "connection closed by remote peer",  // NCCL
    "connectionreseterror",
    "brokenpipeerror",
    "broken pipe",
    "connection refused",
    "socket timeout",                            // TCPStore
    "recvvalue failed",                          // TCPStore
    "failed to recv, got 0 bytes",               // TCPStore
    "sendbytes failed",                          // TCPStore
    "recvbytes failed",                          // TCPStore
    "failed to check the \"should dump\" flag",  // NCCL's monitor, when the store is gone
    "store has shut down",
    "ncclremoteerror",
    "a remote process exiting prematurely",
    "remote process has exited",
    "nccl communicator was aborted",
    "watchdog caught collective operation timeout",
    "timed out waiting for clients",
    "gloo/transport/tcp",  // gloo's file names stand before its "Connection ..." and "Timed out"
};

constexpr std::array<std::string_view, 10> kGpuComplaints = {
    "cuda error",  // PyTorch: "RuntimeError: CUDA error: unspecified launch failure"
    "unhandled cuda error",
    "ncclunhandledcudaerror",
    "cuda failure",
    "cublas_status_execution_failed",
    "cudnn_status_execution_failed",
    "no cuda gpus are available",
    "cuda unknown error",
    "uncorrectable ecc",
    "fallen off the bus",
};

constexpr std::array<std::string_view, 7> kNetworkComplaints = {
    "unhandled system error",  // NCCL's words for what its transport met
    "ncclsystemerror",
    "ncclinternalerror",
    "got completion from peer",  // NCCL's NET/IB
    "completed with error",      // the NCCL plug-in for libfabric
    "fi_cq_read",
    "ibv_poll_cq",
};

constexpr std::array<std::string_view, 9> kOwnErrors = {
    "out of memory",
    "device-side assert",
    "illegal memory access",
    "misaligned address",
    "invalid device ordinal",
    "no kernel image",
    "invalid configuration argument",
    "invalid usage",  // NCCL
    "duplicate gpu",  // NCCL
};

constexpr std::array<std::string_view, 5> kStopAnswers = {
    "keyboardinterrupt", "systemexit", "sigterm", "sigint", "signalexception",
};

template <std::size_t kCount>
bool contains_any(std::string_view text, const std::array<std::string_view, kCount>& parts) {
  return std::ranges::any_of(parts, [text](std::string_view part) { return contains(text, part); });
}

}  // namespace

bool complains_about_peer(std::string_view text) {
  return contains_any(text, kComplaints);
}

bool complains_about_gpu(std::string_view text) {
  return contains_any(text, kGpuComplaints);
}

bool complains_about_network(std::string_view text) {
  return contains_any(text, kNetworkComplaints);
}

bool is_programs_own_error(std::string_view text) {
  return contains_any(text, kOwnErrors);
}

bool answers_stop(std::string_view text) {
  return contains_any(text, kStopAnswers);
}

}  // namespace muster::verdict
