// ErrorFile: what torch's @record wrote to TORCHELASTIC_ERROR_FILE before the worker died. Pure.
//
//   {"message": {"message": "ValueError: boom",
//                "extraInfo": {"py_callstack": "Traceback ...", "timestamp": "1700000000"}}}
//
// A plain {"message": "text"} occurs too. The file comes from the user's program: any bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "rendezvous/base/result.h"

namespace muster::verdict {

inline constexpr std::size_t kMaxErrorFile = 1 << 20;        // bytes of JSON that are read
inline constexpr std::size_t kMaxErrorMessage = 4 << 10;     // bytes kept of the message
inline constexpr std::size_t kMaxErrorCallStack = 64 << 10;  // bytes kept, the last ones

struct ErrorFile {
  std::string message;                  // may have several lines
  std::string call_stack;               // lines of a Python traceback, or empty
  std::optional<std::int64_t> seconds;  // the host's own clock, whole seconds since 1970

  bool operator==(const ErrorFile&) const = default;
};

// kProtocol: no such JSON; kLimit: longer than kMaxErrorFile.
Result<ErrorFile> parse_error_file(std::string_view bytes);

}  // namespace muster::verdict
