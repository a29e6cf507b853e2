#include "launcher/verdict/traceback.h"

#include <cctype>
#include <string_view>

namespace muster::verdict {
namespace {

constexpr std::string_view kHeader = "Traceback (most recent call last):";

bool is_digit(char letter) {
  return letter >= '0' && letter <= '9';
}

// `  File "train.py", line 12, in main`, or without "in" for a SyntaxError. faulthandler's
// `  File "train.py", line 12 in main` has no comma: it is no exception.
bool is_frame(std::string_view line) {
  if (!line.starts_with("  File \"")) return false;
  const std::size_t mark = line.rfind("\", line ");
  if (mark == std::string_view::npos) return false;
  std::size_t end = mark + 8;
  const std::size_t first_digit = end;
  while (end < line.size() && is_digit(line[end])) ++end;
  return end > first_digit && (end == line.size() || line.substr(end).starts_with(", in "));
}

// "ValueError: boom", "torch.cuda.OutOfMemoryError", "KeyboardInterrupt".
bool names_exception(std::string_view line) {
  const std::string_view name = line.substr(0, line.find(':'));
  if (name.empty() || is_digit(name.front())) return false;
  for (const char letter : name) {
    const auto byte = static_cast<unsigned char>(letter);
    if (std::isalnum(byte) == 0 && letter != '_' && letter != '.' && byte < 0x80) return false;
  }
  return true;
}

}  // namespace

std::string_view without_rank_mark(std::string_view line) {
  if (!line.starts_with("[rank")) return line;
  std::size_t end = 5;
  while (end < line.size() && is_digit(line[end])) ++end;
  if (end == 5 || !line.substr(end).starts_with("]:")) return line;
  line.remove_prefix(end + 2);
  if (line.starts_with(' ')) line.remove_prefix(1);
  return line;
}

std::optional<Traceback> find_last_traceback(std::span<const std::string> lines) {
  for (std::size_t frame = lines.size(); frame-- > 0;) {
    if (!is_frame(without_rank_mark(lines[frame]))) continue;
    std::size_t last = frame + 1;
    while (last < lines.size()) {
      const std::string_view line = without_rank_mark(lines[last]);
      if (!line.empty() && line.front() != ' ') break;
      ++last;
    }
    if (last == lines.size() || !names_exception(without_rank_mark(lines[last]))) continue;
    std::size_t first = frame;
    while (first > 0 && without_rank_mark(lines[first]) != kHeader) {
      const std::string_view above = without_rank_mark(lines[first - 1]);
      if (above != kHeader && !above.starts_with("  ")) break;
      --first;
    }
    return Traceback{first, last, std::string(without_rank_mark(lines[last]))};
  }
  return std::nullopt;
}

}  // namespace muster::verdict
