#include "launcher/verdict/printable.h"

namespace muster::verdict {
namespace {

constexpr std::string_view kCut = "...";

// Bytes of the escape sequence at the start of `text` (ESC [ parameters letter), or 0.
std::size_t escape_length(std::string_view text) {
  if (!text.starts_with("\x1b[")) return 0;
  for (std::size_t i = 2; i < text.size(); ++i) {
    if (text[i] >= 0x40 && text[i] <= 0x7e) return i + 1;
  }
  return text.size();
}

bool is_control(char letter) {
  return static_cast<unsigned char>(letter) < 0x20 || letter == 0x7f;
}

bool continues_utf8(char letter) {
  return (static_cast<unsigned char>(letter) & 0xc0) == 0x80;
}

}  // namespace

std::string printable_line(std::string_view text, std::size_t limit) {
  text = text.substr(0, text.find('\n'));
  while (text.ends_with('\r')) text.remove_suffix(1);
  if (const auto last = text.rfind('\r'); last != std::string_view::npos) {
    text.remove_prefix(last + 1);
  }
  std::string line;
  for (std::size_t i = 0; i < text.size();) {
    if (const std::size_t skipped = escape_length(text.substr(i)); skipped > 0) {
      i += skipped;
      continue;
    }
    const char letter = text[i++];
    line += letter == '\t' ? ' ' : is_control(letter) ? '?' : letter;
  }
  if (line.size() <= limit) return line;
  std::size_t end = limit - kCut.size();
  while (end > 0 && continues_utf8(line[end])) --end;
  return line.substr(0, end).append(kCut);
}

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    lines.emplace_back(text.substr(0, end));
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
  }
  return lines;
}

}  // namespace muster::verdict
