#include "launcher/verdict/error_file.h"

#include <charconv>
#include <nlohmann/json.hpp>

namespace muster::verdict {
namespace {

using Json = nlohmann::json;

// The member of that name, or null; never throws, whatever `value` is.
const Json* member(const Json& value, const char* name) {
  if (!value.is_object()) return nullptr;
  const auto found = value.find(name);
  return found == value.end() ? nullptr : &*found;
}

std::string text_of(const Json* value) {
  return value != nullptr && value->is_string() ? value->get_ref<const std::string&>()
                                                : std::string();
}

// torch writes the seconds as a string; a number is taken as well.
std::optional<std::int64_t> seconds_of(const Json* value) {
  // Nanoseconds of 64 bits end in the year 2262.
  constexpr std::int64_t kLatest = 9'000'000'000;
  std::int64_t seconds = 0;
  if (value == nullptr) return std::nullopt;
  if (value->is_number_unsigned() || value->is_number_integer()) {
    seconds = value->get<std::int64_t>();
  } else {
    const std::string text = text_of(value);
    const char* const end = text.data() + text.size();
    if (std::from_chars(text.data(), end, seconds).ec != std::errc()) return std::nullopt;
  }
  if (seconds <= 0 || seconds > kLatest) return std::nullopt;
  return seconds;
}

}  // namespace

Result<ErrorFile> parse_error_file(std::string_view bytes) {
  if (bytes.size() > kMaxErrorFile) {
    return failure(ErrorCode::kLimit, "error file: " + std::to_string(bytes.size()) +
                                          " bytes, expected at most " +
                                          std::to_string(kMaxErrorFile));
  }
  const Json root = Json::parse(bytes, nullptr, /*allow_exceptions=*/false);
  const Json* const outer = member(root, "message");
  if (outer == nullptr) {
    return failure(ErrorCode::kProtocol, "error file: expected JSON with a \"message\"");
  }
  ErrorFile file;
  if (outer->is_string()) {
    file.message = text_of(outer);
  } else {
    file.message = text_of(member(*outer, "message"));
    if (const Json* const extra = member(*outer, "extraInfo")) {
      file.call_stack = text_of(member(*extra, "py_callstack"));
      file.seconds = seconds_of(member(*extra, "timestamp"));
    }
  }
  if (file.message.empty() && file.call_stack.empty()) {
    return failure(ErrorCode::kProtocol, "error file: its message is empty");
  }
  if (file.message.size() > kMaxErrorMessage) file.message.resize(kMaxErrorMessage);
  if (file.call_stack.size() > kMaxErrorCallStack) {
    file.call_stack.erase(0, file.call_stack.size() - kMaxErrorCallStack);
  }
  return file;
}

}  // namespace muster::verdict
