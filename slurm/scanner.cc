#include "slurm/scanner.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace muster::slurm {

namespace {

// Errors are one line: long texts are shown as a window around the position.
constexpr std::size_t kShownBefore = 40;
constexpr std::size_t kShownAfter = 20;

bool is_printable(char byte) {
  return static_cast<unsigned char>(byte) >= 0x20 && byte != 0x7f;
}

std::string printable(std::string_view text) {
  std::string line;
  for (const char byte : text) line += is_printable(byte) ? byte : '?';
  return line;
}

std::string name_byte(char byte) {
  if (is_printable(byte)) return std::string("'") + byte + "'";
  std::array<char, 16> name{};
  std::snprintf(name.data(), name.size(), "byte 0x%02x", static_cast<unsigned char>(byte));
  return name.data();
}

}  // namespace

bool Scanner::accept(char wanted) {
  if (at_end() || text_[position_] != wanted) return false;
  ++position_;
  return true;
}

std::string_view Scanner::take_digits() {
  const std::size_t begin = position_;
  while (at_digit()) ++position_;
  return text_.substr(begin, position_ - begin);
}

Result<std::uint64_t> Scanner::number(std::string_view name, std::uint64_t limit) {
  const std::size_t begin = position_;
  const std::string_view digits = take_digits();
  if (digits.empty()) return failure(expected(name));
  std::uint64_t value = 0;
  for (const char digit : digits) {
    const auto next = static_cast<std::uint64_t>(digit - '0');
    if (next > limit || value > (limit - next) / 10) {
      return failure(
          beyond_limit(begin, std::string(name) + " is greater than " + std::to_string(limit)));
    }
    value = value * 10 + next;
  }
  return value;
}

std::string Scanner::place(std::size_t position) const {
  const std::size_t begin = position > kShownBefore ? position - kShownBefore : 0;
  const std::size_t end = std::min(text_.size(), position + kShownAfter);
  return std::string(what_) + " '" + (begin > 0 ? "..." : "") +
         printable(text_.substr(begin, end - begin)) + (end < text_.size() ? "..." : "") +
         "': position " + std::to_string(position + 1);
}

Error Scanner::expected_at(std::size_t position, std::string_view wanted) const {
  const std::string found = position < text_.size() ? name_byte(text_[position]) : "the end";
  return Error(ErrorCode::kInvalidArgument,
               place(position) + ": expected " + std::string(wanted) + ", found " + found);
}

Error Scanner::beyond_limit(std::size_t position, std::string_view reason) const {
  return Error(ErrorCode::kLimit, place(position) + ": " + std::string(reason));
}

}  // namespace muster::slurm
