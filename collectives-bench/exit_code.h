// Exit codes of muster-bench; README.md has the table for people. Pure.
#pragma once

#include "rendezvous/base/error.h"

namespace muster::bench {

enum class ExitCode {
  kOk = 0,
  kFailed = 1,     // a peer or a library failed in the middle
  kUsage = 2,      // an option or the environment can never work
  kCannotRun = 3,  // no module, library, device or network here: nothing was measured
  kDeadline = 4,   // the deadline passed; the error names what was waited for
  kWrongData = 7,  // a result differed from the exact one
};

inline ExitCode exit_code_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::kInvalidArgument:
      return ExitCode::kUsage;
    case ErrorCode::kNotFound:
    case ErrorCode::kUnsupported:
    case ErrorCode::kPermissionDenied:
      return ExitCode::kCannotRun;
    case ErrorCode::kTimeout:
      return ExitCode::kDeadline;
    case ErrorCode::kUnavailable:
    case ErrorCode::kProtocol:
    case ErrorCode::kLimit:
    case ErrorCode::kCancelled:
    case ErrorCode::kSystem:
      return ExitCode::kFailed;
  }
  return ExitCode::kFailed;
}

}  // namespace muster::bench
