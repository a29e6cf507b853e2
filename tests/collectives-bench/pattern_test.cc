#include "collectives-bench/pattern.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>

namespace muster::bench {
namespace {

std::vector<float> input_of(const Pattern& pattern, std::size_t rank, std::size_t count,
                            std::size_t offset = 0) {
  std::vector<float> values(count);
  pattern.write_input(rank, offset, values);
  return values;
}

std::vector<float> sum_of(const Pattern& pattern, std::size_t count, std::size_t offset = 0) {
  std::vector<float> values(count);
  pattern.write_sum(offset, values);
  return values;
}

TEST(Pattern, TheSumIsThatOfAllInputsExactly) {
  constexpr std::size_t kRanks = 5;
  constexpr std::size_t kCount = 1000;
  const Pattern pattern(kRanks, kCount, 3);
  std::vector<float> sum(kCount, 0.0f);
  for (std::size_t rank = kRanks; rank-- > 0;) {
    const auto input = input_of(pattern, rank, kCount);
    for (std::size_t i = 0; i < kCount; ++i) sum[i] += input[i];
  }
  EXPECT_EQ(count_differences(sum, sum_of(pattern, kCount)), 0u);
}

TEST(Pattern, StaysExactForTheMostRanks) {
  const Pattern pattern(kMaxRanks, 4096, 1);
  for (const float value : sum_of(pattern, 4096)) {
    EXPECT_LE(value, 16777216.0f);
    EXPECT_EQ(value, static_cast<float>(static_cast<std::uint32_t>(value)));
  }
}

TEST(Pattern, RanksAndRoundsDiffer) {
  const Pattern pattern(4, 1000, 1);
  const Pattern other_round(4, 1000, 2);
  EXPECT_GT(count_differences(input_of(pattern, 0, 1000), input_of(pattern, 1, 1000)), 900u);
  EXPECT_GT(count_differences(sum_of(pattern, 1000), sum_of(other_round, 1000)), 900u);
}

TEST(Pattern, ASumWithOneRankTwiceInsteadOfAnotherDiffers) {
  constexpr std::size_t kCount = 1000;
  const Pattern pattern(3, kCount, 1);
  const auto zero = input_of(pattern, 0, kCount);
  const auto one = input_of(pattern, 1, kCount);
  std::vector<float> sum(kCount);
  for (std::size_t i = 0; i < kCount; ++i) sum[i] = zero[i] + 2 * one[i];
  EXPECT_GT(count_differences(sum, sum_of(pattern, kCount)), 900u);
}

TEST(Pattern, ReadsTheSameFromAnyOffsetAndBeyondItsPeriod) {
  constexpr std::size_t kCount = kPatternPeriod + 5000;
  const Pattern pattern(2, kCount, 9);
  const auto whole = input_of(pattern, 1, kCount);
  const auto sums = sum_of(pattern, kCount);
  for (const std::size_t offset : {std::size_t{0}, std::size_t{77}, kPatternPeriod - 3}) {
    const auto part = input_of(pattern, 1, 1000, offset);
    EXPECT_EQ(count_differences(std::span(whole).subspan(offset, 1000), part), 0u) << offset;
    const auto part_sum = sum_of(pattern, 1000, offset);
    EXPECT_EQ(count_differences(std::span(sums).subspan(offset, 1000), part_sum), 0u) << offset;
  }
  EXPECT_EQ(whole[kPatternPeriod], whole[0]);
}

TEST(Pattern, ALongPieceIsItsShortPiecesInARow) {
  constexpr std::size_t kCount = 3 * kPatternPeriod + 4711;
  constexpr std::size_t kOffset = kPatternPeriod - 12345;
  const Pattern pattern(3, 5 * kPatternPeriod, 2);
  const auto whole = input_of(pattern, 2, kCount, kOffset);
  for (std::size_t done = 0; done < kCount; done += 99'991) {
    const std::size_t part = std::min<std::size_t>(99'991, kCount - done);
    EXPECT_EQ(count_differences(std::span(whole).subspan(done, part),
                                input_of(pattern, 2, part, kOffset + done)),
              0u)
        << done;
  }
}

TEST(Pattern, GivesTheResultOfEveryOperation) {
  constexpr std::size_t kCount = 100;
  const Pattern pattern(3, 3 * kCount, 4);
  const auto result = [&](Operation operation, std::size_t rank) {
    const Collective collective{operation, 2, kCount};
    std::vector<float> values(result_count(collective, rank, 3));
    pattern.write_result(collective, rank, 0, values);
    return values;
  };
  EXPECT_EQ(result(Operation::kAllReduce, 1), sum_of(pattern, kCount));
  EXPECT_EQ(result(Operation::kReduce, 2), sum_of(pattern, kCount));
  EXPECT_TRUE(result(Operation::kReduce, 1).empty());
  EXPECT_EQ(result(Operation::kReduceScatter, 1), sum_of(pattern, kCount, kCount));
  EXPECT_EQ(result(Operation::kBroadcast, 0), input_of(pattern, 2, kCount));
  EXPECT_EQ(result(Operation::kSendRecv, 0), input_of(pattern, 2, kCount));
  EXPECT_EQ(result(Operation::kSendRecv, 1), input_of(pattern, 0, kCount));
  EXPECT_EQ(result(Operation::kPingPong, 0), input_of(pattern, 1, kCount));
  EXPECT_EQ(result(Operation::kPingPong, 1), input_of(pattern, 0, kCount));
  EXPECT_EQ(result_count({Operation::kPingPong, 0, kCount}, 2, 3), 0u) << "it has no partner";
  const auto gathered = result(Operation::kAllGather, 0);
  const auto exchanged = result(Operation::kAllToAll, 1);
  ASSERT_EQ(gathered.size(), 3 * kCount);
  ASSERT_EQ(exchanged.size(), 3 * kCount);
  for (std::size_t rank = 0; rank < 3; ++rank) {
    EXPECT_EQ(count_differences(std::span(gathered).subspan(rank * kCount, kCount),
                                input_of(pattern, rank, kCount)),
              0u);
    EXPECT_EQ(count_differences(std::span(exchanged).subspan(rank * kCount, kCount),
                                input_of(pattern, rank, kCount, kCount)),
              0u);
  }
}

TEST(Pattern, SeesOneFlippedBitAndANegativeZero) {
  std::vector<float> buffer = {0, 2, 3};
  const std::vector<float> period = buffer;
  buffer[1] = std::bit_cast<float>(std::bit_cast<std::uint32_t>(buffer[1]) ^ 1u);
  EXPECT_EQ(count_differences(buffer, period), 1u);
  buffer[0] = -0.0f;
  EXPECT_EQ(count_differences(buffer, period), 2u);
}

}  // namespace
}  // namespace muster::bench
