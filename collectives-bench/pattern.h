// Pattern: the data of a verified operation. Every rank's input and every result are known exactly,
// so that results compare bit by bit.
//
// Every value is a whole number below 2^7, so that sums of up to kMaxRanks of them stay whole and
// exact in a float in any order of addition. The data repeat after a prime number of elements: no
// power-of-two chunk or slice lands on its own copy when it is misplaced. Each `round` has other
// data, so a stale result does not pass. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "collectives-bench/operation.h"

namespace muster::bench {

inline constexpr std::size_t kPatternPeriod = 1'048'573;  // the largest prime below 2^20
inline constexpr std::size_t kMaxRanks = 1u << 17;        // 2^17 ranks x 2^7 = 2^24, exact in float

class Pattern {
 public:
  // For buffers of up to `elements`; 1 <= ranks <= kMaxRanks.
  Pattern(std::size_t ranks, std::size_t elements, std::uint32_t round);

  // Elements [offset, offset + out.size()) of a rank's input, and of the sum over all ranks.
  void write_input(std::size_t rank, std::size_t offset, std::span<float> out) const;
  void write_sum(std::size_t offset, std::span<float> out) const;

  // The same of what `rank` must hold after `collective`.
  void write_result(const Collective& collective, std::size_t rank, std::size_t offset,
                    std::span<float> out) const;

 private:
  std::size_t ranks_;
  std::vector<float> base_;  // one period of the part that all ranks share
  std::vector<float> sum_;   // one period of the sum
};

// Elements of this rank's result that are defined: none of a reduce but at its root, none where the
// rank takes no part.
std::size_t result_count(const Collective& collective, std::size_t rank, std::size_t ranks);

// Elements that differ in any bit; both have one size.
std::uint64_t count_differences(std::span<const float> actual, std::span<const float> expected);

}  // namespace muster::bench
