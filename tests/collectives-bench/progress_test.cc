#include "collectives-bench/progress.h"

#include <gtest/gtest.h>

namespace muster::bench {
namespace {

TEST(Progress, BeforeTheFirstSizeIsDoneNobodyKnowsHowLong) {
  const std::vector<std::uint64_t> sizes = {8, 16};
  EXPECT_FALSE(seconds_left(sizes, 0, 0.1));
  EXPECT_EQ(progress_line(sizes, 0, 0.1), "[........................] 1 of 2: 8 B");
}

TEST(Progress, GoesByBytesAndNotByTheNumberOfSizes) {
  const std::vector<std::uint64_t> sizes = {1ull << 30, 2ull << 30, 4ull << 30};
  const auto left = seconds_left(sizes, 1, 10.0);
  ASSERT_TRUE(left);
  EXPECT_NEAR(*left, 60.0, 0.2);
  EXPECT_EQ(progress_line(sizes, 1, 10.0),
            "[########................] 2 of 3: 2 GiB, about 60 s left");
}

TEST(Progress, SmallSizesCountAlikeAndTheEndIsNothingLeft) {
  const std::vector<std::uint64_t> sizes = {8, 16, 32, 64};
  EXPECT_NEAR(*seconds_left(sizes, 2, 3.0), 3.0, 0.01);
  EXPECT_EQ(*seconds_left(sizes, 4, 3.0), 0.0);
}

}  // namespace
}  // namespace muster::bench
