// Pattern: data whose sum over all ranks is known exactly, so that results compare bit by bit.
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

namespace muster::bench {

inline constexpr std::size_t kPatternPeriod = 1'048'573;  // the largest prime below 2^20
inline constexpr std::size_t kMaxRanks = 1u << 17;        // 2^17 ranks x 2^7 = 2^24, exact in float

class Pattern {
 public:
  // For buffers of `count` elements; rank < ranks <= kMaxRanks.
  Pattern(std::size_t rank, std::size_t ranks, std::size_t count, std::uint32_t round);

  // One period (or `count` elements when that is fewer) of this rank's input and of the sum.
  std::span<const float> input() const { return input_; }
  std::span<const float> expected() const { return expected_; }

 private:
  std::vector<float> input_;
  std::vector<float> expected_;
};

// Writes `period` again and again over `out`.
void repeat_over(std::span<const float> period, std::span<float> out);

// Elements of `actual` that differ in any bit from the repeated period. `offset` is the place of
// actual[0] in the whole buffer.
std::uint64_t count_differences(std::span<const float> actual, std::span<const float> period,
                                std::size_t offset);

}  // namespace muster::bench
