#include "launcher/report/text.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace muster::report {

namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD
constexpr std::size_t kMaxDigits = 18;                     // fits 64 bits

bool is_between(unsigned char byte, int low, int high) {
  return byte >= low && byte <= high;
}

// Bytes of the character at the start of `text` that may not stand on the page, or 0.
std::size_t deceiving_length(std::string_view text) {
  const auto at = [text](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  if (at(0) == '\n' || at(0) == '\t') return 0;
  if (at(0) < 0x20 || at(0) == 0x7f) return 1;
  if (text.size() >= 2 && at(0) == 0xc2 && is_between(at(1), 0x80, 0x9f)) return 2;  // C1 controls
  if (text.size() < 3) return 0;
  const bool is_general = at(0) == 0xe2 && at(1) == 0x80;  // U+200B-200F, U+2028-202E
  if (is_general && (is_between(at(2), 0x8b, 0x8f) || is_between(at(2), 0xa8, 0xae))) return 3;
  const bool is_isolate = at(0) == 0xe2 && at(1) == 0x81;  // U+2060-206F
  if (is_isolate && is_between(at(2), 0xa0, 0xaf)) return 3;
  const bool is_mark = at(0) == 0xef && at(1) == 0xbb && at(2) == 0xbf;  // U+FEFF
  return is_mark ? 3 : 0;
}

struct NumberedName {
  std::string_view prefix;
  std::string_view digits;  // as written; empty: no number that could be counted on
  std::uint64_t number = 0;
};

NumberedName split_number(std::string_view name) {
  std::size_t start = name.size();
  while (start > 0 && name[start - 1] >= '0' && name[start - 1] <= '9') --start;
  const std::string_view digits = name.substr(start);
  const bool is_ambiguous = name.find_first_of("[],") != std::string_view::npos;
  if (digits.empty() || digits.size() > kMaxDigits || is_ambiguous) return {name, {}, 0};
  std::uint64_t number = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return {name.substr(0, start), digits, number};
}

struct Range {
  std::string_view low;
  std::string_view high;
  std::uint64_t last = 0;
};

std::string range_text(const Range& range) {
  if (range.low == range.high) return std::string(range.low);
  return fmt::format("{}-{}", range.low, range.high);
}

// Names that follow each other and share a prefix and a width.
struct Run {
  std::string_view prefix;
  std::vector<Range> ranges;  // empty: a name without a number

  bool takes(const NumberedName& name) const {
    return !ranges.empty() && !name.digits.empty() && name.prefix == prefix &&
           (name.digits.size() == ranges.back().high.size() || name.digits[0] != '0');
  }

  std::string text() const {
    if (ranges.empty()) return std::string(prefix);
    if (ranges.size() == 1 && ranges[0].low == ranges[0].high) {
      return fmt::format("{}{}", prefix, ranges[0].low);
    }
    std::string inside;
    for (const Range& range : ranges) inside += (inside.empty() ? "" : ",") + range_text(range);
    return fmt::format("{}[{}]", prefix, inside);
  }
};

}  // namespace

std::string escape(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (const std::size_t length = deceiving_length(text.substr(i)); length > 0) {
      escaped += kReplacement;
      i += length - 1;
      continue;
    }
    switch (text[i]) {
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += text[i];
    }
  }
  return escaped;
}

std::string rate_text(double busbw) {
  if (busbw >= 1e6) return fmt::format("{:.2e}", busbw);
  if (busbw >= 100) return fmt::format("{:.0f}", busbw);
  if (busbw >= 10) return fmt::format("{:.1f}", busbw);
  if (busbw >= 1) return fmt::format("{:.2f}", busbw);
  return fmt::format("{:.3g}", busbw);
}

std::string seconds_text(double seconds) {
  if (seconds >= 1e9) return fmt::format("{:.2e} s", seconds);
  if (seconds >= 600) return fmt::format("{:.0f} min", seconds / 60);
  return seconds >= 10 ? fmt::format("{:.0f} s", seconds) : fmt::format("{:.1f} s", seconds);
}

std::string bytes_text(std::uint64_t bytes) {
  constexpr std::array<std::string_view, 5> kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (bytes != 0 && bytes % 1024 == 0 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  return fmt::format("{} {}", bytes, kUnits[unit]);
}

std::string percent_text(double share) {
  constexpr std::string_view kSign = "\u00a0%";
  const double percent = share * 100;
  if (percent > 99 && percent < 100) {
    return fmt::format("{:.1f}{}", std::min(percent, 99.9), kSign);
  }
  return percent >= 1e6 ? fmt::format("{:.2e}{}", percent, kSign)
                        : fmt::format("{:.0f}{}", percent, kSign);
}

std::string count_text(std::uint64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

std::string fold_hosts(const std::vector<std::string>& hosts) {
  std::vector<Run> runs;
  for (const std::string& host : hosts) {
    const NumberedName name = split_number(host);
    if (name.digits.empty()) {
      runs.push_back({name.prefix, {}});
      continue;
    }
    if (runs.empty() || !runs.back().takes(name)) runs.push_back({name.prefix, {}});
    std::vector<Range>& ranges = runs.back().ranges;
    if (!ranges.empty() && ranges.back().last + 1 == name.number) {
      ranges.back().high = name.digits;
      ranges.back().last = name.number;
    } else {
      ranges.push_back({name.digits, name.digits, name.number});
    }
  }
  std::string text;
  for (const Run& run : runs) text += (text.empty() ? "" : ", ") + run.text();
  return text;
}

}  // namespace muster::report
