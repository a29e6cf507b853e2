#include "collectives-bench/progress.h"

#include <gtest/gtest.h>

namespace muster::bench {
namespace {

const std::vector<std::string> kNoNics = {""};

std::vector<Step> timed(std::vector<std::uint64_t> sizes) {
  std::vector<Step> steps;
  for (const std::uint64_t bytes : sizes) {
    steps.push_back({Phase::kMeasure, bytes, 0, Placement::kOutOfPlace, 10});
  }
  return steps;
}

TEST(Progress, BeforeTheFirstStepIsDoneNobodyKnowsHowLong) {
  const auto steps = timed({8, 16});
  EXPECT_FALSE(seconds_left(steps, 0, 0.1));
  EXPECT_EQ(progress_line(steps, kNoNics, 0, 0.1), "[................] 1 of 2: 8 B, timed, 0 s");
}

TEST(Progress, GoesByBytesAndNotByTheNumberOfSteps) {
  const auto steps = timed({1ull << 30, 2ull << 30, 5ull << 30});
  const auto left = seconds_left(steps, 1, 10.0);
  ASSERT_TRUE(left);
  EXPECT_NEAR(*left, 70.0, 0.2);
  EXPECT_EQ(progress_line(steps, kNoNics, 1, 10.0),
            "[##..............] 2 of 3: 2 GiB, timed, 10 s, about 70 s left");
}

TEST(Progress, CountsOperationsAndWhatVerifyingCosts) {
  auto steps = timed({1ull << 30, 1ull << 30});
  steps[1].operations = 30;
  EXPECT_NEAR(*seconds_left(steps, 1, 1.0), 3.0, 0.01);
  steps[1].phase = Phase::kVerify;
  EXPECT_NEAR(*seconds_left(steps, 1, 1.0), 12.0, 0.01);
}

TEST(Progress, SmallSizesCountAlikeAndTheEndIsNothingLeft) {
  const auto steps = timed({8, 16, 32, 64});
  EXPECT_NEAR(*seconds_left(steps, 2, 3.0), 3.0, 0.01);
  EXPECT_EQ(*seconds_left(steps, 4, 3.0), 0.0);
}

TEST(Progress, SaysWhatIsDoneNowAndByWhichNic) {
  std::vector<Step> steps = {{Phase::kWarmup, 8, 0, Placement::kInPlace, 1},
                             {Phase::kVerify, 8, 1, Placement::kOutOfPlace, 1}};
  EXPECT_NE(progress_line(steps, kNoNics, 0, 0).find("1 of 2: 8 B, warm-up in place, 0 s"),
            std::string::npos);
  EXPECT_NE(progress_line(steps, std::vector<std::string>{"eth0", "eth1"}, 1, 1)
                .find("2 of 2: 8 B, verified, eth1, 1 s"),
            std::string::npos);
}

TEST(LiveView, DrawsOverWhatItDrewAndTakesItAway) {
  LiveView view(79);
  EXPECT_EQ(view.erase(), "");
  EXPECT_EQ(view.draw(std::vector<std::string>{"one"}), "one");
  EXPECT_EQ(view.draw(std::vector<std::string>{"row", "bar"}), "\r\x1b[Jrow\nbar");
  EXPECT_EQ(view.draw(std::vector<std::string>{"x"}), "\r\x1b[1A\x1b[Jx");
  EXPECT_EQ(view.erase(), "\r\x1b[J");
  EXPECT_EQ(view.erase(), "");
}

TEST(LiveView, CutsALineThatWouldWrap) {
  LiveView view(4);
  EXPECT_EQ(view.draw(std::vector<std::string>{"12345"}), "1234");
}

}  // namespace
}  // namespace muster::bench
