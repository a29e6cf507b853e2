#include "rendezvous/program/sidecar_loop.h"

#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <string>

#include "rendezvous/host_addresses.h"
#include "rendezvous/munge_api.h"
#include "rendezvous/program/signals.h"
#include "rendezvous/sidecar_messages.h"

namespace muster::rendezvous {

namespace {

class Answerer {
 public:
  Result<SidecarAnswer> operator()(const LookUpHosts& call) { return look_up_hosts(call); }

  Result<SidecarAnswer> operator()(const MungeEncode& call) {
    MUSTER_TRY(munge, loaded_munge());
    MUSTER_TRY(credential, munge->encode(call, ::getuid()));
    return MungeCredential{std::move(credential)};
  }

  Result<SidecarAnswer> operator()(const MungeDecode& call) {
    MUSTER_TRY(munge, loaded_munge());
    MUSTER_TRY(content, munge->decode(call));
    return content;
  }

 private:
  Result<MungeApi*> loaded_munge() {
    if (!munge_) munge_ = MungeApi::load();
    if (!*munge_) return failure(munge_->error());
    return &**munge_;
  }

  std::optional<Result<MungeApi>> munge_;
};

bool write_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (size < 0 && errno != EINTR) return false;
    if (size > 0) bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

// All whole frames of `received`; false when the caller is gone or talks nonsense.
bool answer_frames(std::string& received, Answerer& answerer) {
  std::string body;
  while (true) {
    const Result<bool> complete = take_frame(received, body);
    if (!complete) return false;
    if (!*complete) return true;
    const Result<SidecarCall> call = parse_call(body);
    if (!call) return false;
    const Result<SidecarAnswer> answer = std::visit(answerer, *call);
    if (!write_all(framed(encode_answer(answer)))) return false;
  }
}

}  // namespace

int run_sidecar() {
  // End of file tells that the parent is gone, but not while munge or a name server hangs.
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ignore_signals_to_the_step();
  Answerer answerer;
  std::string received;
  std::array<char, 64 * 1024> buffer;
  while (true) {
    const ssize_t size = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (size == 0) return 0;
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return 1;
    received.append(buffer.data(), static_cast<std::size_t>(size));
    if (!answer_frames(received, answerer)) return 1;
  }
}

}  // namespace muster::rendezvous
