#include "rendezvous/base/error.h"

#include <cerrno>
#include <cstring>

namespace muster {

std::string_view to_string(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return "invalid argument";
    case ErrorCode::kNotFound:
      return "not found";
    case ErrorCode::kUnavailable:
      return "unavailable";
    case ErrorCode::kTimeout:
      return "timeout";
    case ErrorCode::kPermissionDenied:
      return "permission denied";
    case ErrorCode::kProtocol:
      return "protocol error";
    case ErrorCode::kLimit:
      return "limit exceeded";
    case ErrorCode::kCancelled:
      return "cancelled";
    case ErrorCode::kSystem:
      return "system error";
    case ErrorCode::kUnsupported:
      return "unsupported";
  }
  return "unknown error";
}

Error Error::within(std::string_view context) const {
  std::string text(context);
  text += ": ";
  text += message_;
  return Error(code_, std::move(text));
}

Error system_error(std::string_view what, int errno_value) {
  std::string text(what);
  text += ": ";
  text += std::strerror(errno_value);
  const bool denied = errno_value == EACCES || errno_value == EPERM;
  return Error(denied ? ErrorCode::kPermissionDenied : ErrorCode::kSystem, std::move(text));
}

}  // namespace muster
