// A sidecar in the place of munge and its clocks. The "socket" of the call says what time it is:
// "/now", "/past" or "/future"; the credential keeps it, and opening one answers as munge would.
#include <unistd.h>

#include <array>

#include "rendezvous/sidecar_messages.h"

namespace muster::rendezvous {
namespace {

constexpr std::string_view kPast = "/past:";
constexpr std::string_view kFuture = "/future:";

struct Answerer {
  Result<SidecarAnswer> operator()(const LookUpHosts&) const {
    return failure(ErrorCode::kUnsupported, "no names here");
  }
  Result<SidecarAnswer> operator()(const MungeEncode& call) const {
    return MungeCredential{call.socket + ":" + call.payload};
  }
  Result<SidecarAnswer> operator()(const MungeDecode& call) const {
    const std::string_view credential = call.credential;
    if (credential.starts_with(kPast))
      return failure(ErrorCode::kPermissionDenied, "munge: the credential is expired");
    if (credential.starts_with(kFuture))
      return failure(ErrorCode::kPermissionDenied, "munge: the credential is from the future");
    return MungeContent{::getuid(), std::string(credential.substr(credential.find(':') + 1))};
  }
};

bool write_all(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::write(STDOUT_FILENO, bytes.data(), bytes.size());
    if (size <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(size));
  }
  return true;
}

// False when the caller talks nonsense.
bool answer_frames(std::string& received) {
  std::string body;
  while (true) {
    const Result<bool> complete = take_frame(received, body);
    if (!complete) return false;
    if (!*complete) return true;
    const Result<SidecarCall> call = parse_call(body);
    if (!call || !write_all(framed(encode_answer(std::visit(Answerer{}, *call))))) return false;
  }
}

}  // namespace
}  // namespace muster::rendezvous

int main() {
  std::string received;
  std::array<char, 65536> buffer;
  while (true) {
    const ssize_t size = ::read(STDIN_FILENO, buffer.data(), buffer.size());
    if (size <= 0) return 0;
    received.append(buffer.data(), static_cast<std::size_t>(size));
    if (!muster::rendezvous::answer_frames(received)) return 1;
  }
}
