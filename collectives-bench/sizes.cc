#include "collectives-bench/sizes.h"

#include <fmt/format.h>

#include <array>
#include <charconv>

namespace muster::bench {

namespace {

Error bad_size(std::string_view text) {
  return Error(ErrorCode::kInvalidArgument,
               fmt::format("size '{}': expected a whole number of bytes with an optional K, M, G "
                           "or T, such as 64M",
                           text.substr(0, 64)));
}

// The power of two that a suffix multiplies by; -1 for an unknown one.
int suffix_shift(std::string_view suffix) {
  if (suffix.empty() || suffix == "B") return 0;
  const std::string_view rest = suffix.substr(1);
  if (!rest.empty() && rest != "B" && rest != "iB") return -1;
  switch (suffix.front()) {
    case 'K':
    case 'k':
      return 10;
    case 'M':
    case 'm':
      return 20;
    case 'G':
    case 'g':
      return 30;
    case 'T':
    case 't':
      return 40;
    default:
      return -1;
  }
}

}  // namespace

Result<std::uint64_t> parse_bytes(std::string_view text) {
  std::uint64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc{}) return failure(bad_size(text));
  const int shift = suffix_shift({rest, static_cast<std::size_t>(end - rest)});
  if (shift < 0) return failure(bad_size(text));
  if (shift > 0 && (number >> (63 - shift)) != 0) {
    return failure(ErrorCode::kInvalidArgument, fmt::format("size '{}' is too large", text));
  }
  return number << shift;
}

std::string bytes_text(std::uint64_t bytes) {
  static constexpr std::array kUnits = {"B", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (unit + 1 < kUnits.size() && bytes >> (10 * (unit + 1)) != 0) ++unit;
  const std::uint64_t one = 1ull << (10 * unit);
  if (bytes % one == 0) return fmt::format("{} {}", bytes / one, kUnits[unit]);
  return fmt::format("{:.2f} {}", static_cast<double>(bytes) / static_cast<double>(one),
                     kUnits[unit]);
}

Result<std::vector<std::uint64_t>> expand_sizes(const SizeRange& range) {
  const auto invalid = [](std::string text) {
    return failure(ErrorCode::kInvalidArgument, std::move(text));
  };
  if (range.min_bytes < kElementBytes) {
    return invalid(fmt::format("-b {}: the smallest size is {} bytes, one float", range.min_bytes,
                               kElementBytes));
  }
  if (range.max_bytes < range.min_bytes) {
    return invalid(fmt::format("-e {} is smaller than -b {}", bytes_text(range.max_bytes),
                               bytes_text(range.min_bytes)));
  }
  if (range.factor == 1) return invalid("-f 1 never grows: write -f 2 or more, or -i BYTES");
  if (range.factor == 0 && range.step_bytes < kElementBytes && range.max_bytes != range.min_bytes) {
    return invalid(
        fmt::format("-i {}: the smallest step is {} bytes", range.step_bytes, kElementBytes));
  }
  std::vector<std::uint64_t> sizes;
  for (std::uint64_t bytes = range.min_bytes; bytes <= range.max_bytes;) {
    if (sizes.size() == kMaxSizes) {
      return invalid(
          fmt::format("more than {} sizes between -b {} and -e {}: write -f 2 or a "
                      "larger -i",
                      kMaxSizes, bytes_text(range.min_bytes), bytes_text(range.max_bytes)));
    }
    sizes.push_back(bytes / kElementBytes * kElementBytes);
    if (range.max_bytes == range.min_bytes) break;
    if (range.factor != 0 && bytes > range.max_bytes / range.factor) break;
    bytes = range.factor != 0 ? bytes * range.factor : bytes + range.step_bytes;
  }
  return sizes;
}

}  // namespace muster::bench
