// Message sizes as users write them: "8", "64M", "8G" (binary), and the list that a sweep visits.
// Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rendezvous/base/result.h"

namespace muster::bench {

inline constexpr std::uint64_t kElementBytes = 4;  // float, the only element type
inline constexpr std::size_t kMaxSizes = 256;      // of one sweep; bounds the report too

// Whole numbers with an optional K, M, G or T (times 1024, 1024^2, ...), upper or lower case, and
// an optional "B" or "iB" behind it.
Result<std::uint64_t> parse_bytes(std::string_view text);

// "16 MiB", "1.50 GiB", "8 B".
std::string bytes_text(std::uint64_t bytes);

struct SizeRange {
  std::uint64_t min_bytes = 32ull << 20;
  std::uint64_t max_bytes = 32ull << 20;
  std::uint64_t step_bytes = 1ull << 20;  // used when factor is 0
  std::uint64_t factor = 0;

  bool operator==(const SizeRange&) const = default;
};

// Ascending, each a multiple of kElementBytes (rounded down). Errors name the option at fault.
Result<std::vector<std::uint64_t>> expand_sizes(const SizeRange& range);

}  // namespace muster::bench
