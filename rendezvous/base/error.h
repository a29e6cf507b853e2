// Error: what an expected failure is made of.
//
// A small code for programs and one line of text for people. Each level that passes an error up
// adds its own noun once: "join job 4242: connect node017:12007: connection refused".
#pragma once

#include <string>
#include <string_view>
#include <utility>

namespace muster {

enum class ErrorCode {
  kInvalidArgument,   // the caller or the user gave something that can never work
  kNotFound,          // the thing named does not exist
  kUnavailable,       // a peer, a service or a library is not there; trying later may help
  kTimeout,           // a deadline passed
  kPermissionDenied,  // proof of identity failed, or the system refused
  kProtocol,          // bytes from a peer, a file or a service break their grammar
  kLimit,             // a limit beside its definition was exceeded
  kCancelled,         // the operation was stopped by its owner
  kSystem,            // a system call failed; the text carries strerror
  kUnsupported,       // this build or this machine cannot do it
};

// The code's name in lower case words ("timeout"). Lifetime: static.
std::string_view to_string(ErrorCode code);

class Error {
 public:
  Error(ErrorCode code, std::string message) : code_(code), message_(std::move(message)) {}

  ErrorCode code() const { return code_; }
  const std::string& message() const { return message_; }

  // "context: message", with the same code.
  Error within(std::string_view context) const;

  bool operator==(const Error&) const = default;

 private:
  ErrorCode code_;
  std::string message_;
};

// "what: strerror(errno_value)" with code kSystem (kPermissionDenied for EACCES and EPERM).
Error system_error(std::string_view what, int errno_value);

}  // namespace muster
