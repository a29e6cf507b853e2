// Reads the values of options: numbers, durations, sizes. Pure.
//
// Nothing here knows which option it reads: the error is the second half of a line ("expected
// seconds, such as 15, 0.5 or 2m"), to which the caller adds what was given.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "rendezvous/base/result.h"
#include "rendezvous/base/time.h"

namespace muster::options {

inline constexpr std::uint64_t kMaxCheckSize = std::uint64_t{1} << 40;  // bytes of one message
inline constexpr Duration kMaxDuration = std::chrono::hours(24 * 30);

// A whole number in [lowest, highest]; no sign, no blanks.
Result<std::uint32_t> parse_number(std::string_view text, std::uint32_t lowest,
                                   std::uint32_t highest);

// "15" and "0.5" are seconds; "500ms", "15s", "2m", "1h" say their unit. At most kMaxDuration.
Result<Duration> parse_duration(std::string_view text);

// "8M,1G": K, M, G are powers of 1024; each from 1 byte to kMaxCheckSize.
Result<std::vector<std::uint64_t>> parse_sizes(std::string_view text);

// A number above 0, "12.5".
Result<double> parse_positive(std::string_view text);

}  // namespace muster::options
