#include "launcher/output/prefix.h"

#include <algorithm>
#include <array>

namespace muster::output {
namespace {

constexpr std::size_t kLongestPrefix = 128;
constexpr std::size_t kShortestPiece = 8;
constexpr std::array<std::string_view, 6> kColours{"\033[36m", "\033[32m", "\033[33m",
                                                   "\033[35m", "\033[34m", "\033[31m"};
constexpr std::string_view kPlain = "\033[0m";

std::string value_of_field(std::string_view name, const PrefixFields& fields) {
  if (name == "host" || name == "hostname") return fields.host;
  if (name == "rank") return std::to_string(value_of(fields.rank));
  if (name == "local_rank") return std::to_string(value_of(fields.local_rank));
  if (name == "role_name") return fields.role_name;
  return "${" + std::string(name) + "}";
}

}  // namespace

std::string expand_prefix(std::string_view format, const PrefixFields& fields, bool colour) {
  std::string text;
  while (!format.empty()) {
    const std::size_t start = format.find("${");
    text += format.substr(0, start);
    if (start == std::string_view::npos) break;
    const std::size_t end = format.find('}', start);
    if (end == std::string_view::npos) {
      text += format.substr(start);
      break;
    }
    text += value_of_field(format.substr(start + 2, end - start - 2), fields);
    format.remove_prefix(end + 1);
  }
  text.resize(std::min(text.size(), kLongestPrefix));
  if (!colour || text.empty()) return text;
  const std::string_view paint = kColours[value_of(fields.rank) % kColours.size()];
  return std::string(paint) + text + std::string(kPlain);
}

std::size_t piece_limit(std::string_view prefix, std::size_t line_limit) {
  const std::size_t taken = prefix.size() + kContinuationMark.size() + 1;
  return line_limit > taken + kShortestPiece ? line_limit - taken : kShortestPiece;
}

std::string console_line(std::string_view prefix, const Piece& piece) {
  std::string line(prefix);
  if (piece.continues) line += kContinuationMark;
  line += piece.text;
  line += '\n';
  return line;
}

}  // namespace muster::output
