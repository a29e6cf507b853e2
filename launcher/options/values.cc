#include "launcher/options/values.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "launcher/options/options.h"

namespace muster::options {
namespace {

tl::unexpected<Error> expected(std::string what) {
  return failure(ErrorCode::kInvalidArgument, "expected " + std::move(what));
}

// A decimal number without sign, exponent, "inf" or "nan"; the rest of the text is left in `rest`.
std::optional<double> take_decimal(std::string_view text, std::string_view& rest) {
  if (text.empty() || text.front() < '0' || text.front() > '9') return std::nullopt;
  double value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
  if (error != std::errc()) return std::nullopt;
  rest = std::string_view(stop, static_cast<std::size_t>(end - stop));
  return value;
}

std::optional<std::uint64_t> parse_size(std::string_view text) {
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || number == 0) return std::nullopt;
  const std::string_view unit(stop, static_cast<std::size_t>(end - stop));
  unsigned shift = 0;
  if (unit == "K" || unit == "k") {
    shift = 10;
  } else if (unit == "M" || unit == "m") {
    shift = 20;
  } else if (unit == "G" || unit == "g") {
    shift = 30;
  } else if (!unit.empty()) {
    return std::nullopt;
  }
  if (number > (kMaxCheckSize >> shift)) return std::nullopt;
  return number << shift;
}

}  // namespace

Result<std::uint32_t> parse_number(std::string_view text, std::uint32_t lowest,
                                   std::uint32_t highest) {
  std::uint32_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc() || stop != end || value < lowest || value > highest) {
    return expected(fmt::format("a whole number from {} to {}", lowest, highest));
  }
  return value;
}

Result<Duration> parse_duration(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, double>, 5> kUnits = {
      {{"", 1e3}, {"ms", 1}, {"s", 1e3}, {"m", 60e3}, {"h", 3600e3}}};
  std::string_view unit;
  const std::optional<double> number = take_decimal(text, unit);
  for (const auto& [name, milliseconds] : kUnits) {
    if (!number || unit != name) continue;
    const double total = *number * milliseconds;
    if (total > static_cast<double>(kMaxDuration.count())) break;
    return Duration(std::llround(total));
  }
  return expected("seconds, such as 15, 0.5 or 2m, at most 30 days");
}

Result<std::vector<std::uint64_t>> parse_sizes(std::string_view text) {
  std::vector<std::uint64_t> sizes;
  for (bool more = true; more;) {
    const std::size_t comma = text.find(',');
    more = comma != std::string_view::npos;
    const std::optional<std::uint64_t> size = parse_size(text.substr(0, comma));
    if (!size || sizes.size() == kMaxCheckSizes) {
      return expected(
          fmt::format("sizes such as 8M or 64K,1M,16M, {} at most, each of 1 byte to {} GiB",
                      kMaxCheckSizes, kMaxCheckSize >> 30));
    }
    sizes.push_back(*size);
    if (more) text.remove_prefix(comma + 1);
  }
  return sizes;
}

Result<double> parse_positive(std::string_view text) {
  std::string_view rest;
  const std::optional<double> value = take_decimal(text, rest);
  if (!value || !rest.empty() || !(*value > 0)) return expected("a number above 0, such as 12.5");
  return *value;
}

}  // namespace muster::options
