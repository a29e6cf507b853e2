#include "collectives-bench/pattern.h"

#include <gtest/gtest.h>

#include <bit>

namespace muster::bench {
namespace {

TEST(Pattern, TheSumOfAllInputsIsTheExpectedResultExactly) {
  constexpr std::size_t kRanks = 5;
  constexpr std::size_t kCount = 1000;
  std::vector<float> sum(kCount, 0.0f);
  for (std::size_t rank = kRanks; rank-- > 0;) {
    const Pattern pattern(rank, kRanks, kCount, 3);
    for (std::size_t i = 0; i < kCount; ++i) sum[i] += pattern.input()[i];
  }
  const Pattern pattern(0, kRanks, kCount, 3);
  EXPECT_EQ(count_differences(sum, pattern.expected(), 0), 0u);
}

TEST(Pattern, StaysExactForTheMostRanks) {
  const Pattern pattern(kMaxRanks - 1, kMaxRanks, 4096, 1);
  for (const float value : pattern.expected()) {
    EXPECT_LE(value, 16777216.0f);
    EXPECT_EQ(value, static_cast<float>(static_cast<std::uint32_t>(value)));
  }
}

TEST(Pattern, RanksAndRoundsDiffer) {
  const Pattern first(0, 4, 1000, 1);
  const Pattern other_rank(1, 4, 1000, 1);
  const Pattern other_round(0, 4, 1000, 2);
  EXPECT_GT(count_differences(other_rank.input(), first.input(), 0), 900u);
  EXPECT_GT(count_differences(other_round.expected(), first.expected(), 0), 900u);
}

TEST(Pattern, ASumWithOneRankTwiceInsteadOfAnotherDiffers) {
  constexpr std::size_t kCount = 1000;
  const Pattern zero(0, 3, kCount, 1);
  const Pattern one(1, 3, kCount, 1);
  std::vector<float> sum(kCount);
  for (std::size_t i = 0; i < kCount; ++i) sum[i] = zero.input()[i] + 2 * one.input()[i];
  EXPECT_GT(count_differences(sum, zero.expected(), 0), 900u);
}

TEST(Pattern, RepeatsBeyondItsPeriodAndComparesFromAnyOffset) {
  const std::vector<float> period = {1, 2, 3, 4, 5};
  std::vector<float> buffer(13);
  repeat_over(period, buffer);
  EXPECT_EQ(buffer, (std::vector<float>{1, 2, 3, 4, 5, 1, 2, 3, 4, 5, 1, 2, 3}));
  EXPECT_EQ(count_differences(std::span<const float>(buffer).subspan(7), period, 7), 0u);
  EXPECT_EQ(count_differences(std::span<const float>(buffer).subspan(7), period, 6), 6u);
}

TEST(Pattern, SeesOneFlippedBitAndANegativeZero) {
  std::vector<float> buffer = {0, 2, 3};
  const std::vector<float> period = buffer;
  buffer[1] = std::bit_cast<float>(std::bit_cast<std::uint32_t>(buffer[1]) ^ 1u);
  EXPECT_EQ(count_differences(buffer, period, 0), 1u);
  buffer[0] = -0.0f;
  EXPECT_EQ(count_differences(buffer, period, 0), 2u);
}

}  // namespace
}  // namespace muster::bench
