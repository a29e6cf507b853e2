#include "collectives-bench/localise/round.h"

#include <gtest/gtest.h>

namespace muster::bench::localise {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(Round, TheDeadlineIsTheStartAndTheSlackOfTheExpectedTime) {
  Work work;
  work.bytes = 1000000000;  // 2 s an operation at 1 GB/s
  work.iterations = 10;
  work.warmup = 2;
  const DeadlineRule rule{seconds(30), 5, seconds(120), seconds(40)};
  EXPECT_EQ(round_deadline(RoundKind::kWorld, work, 16, 1.0, rule), seconds(30 + 5 * 14 * 2));
  EXPECT_EQ(round_deadline(RoundKind::kWorld, work, 16, 100.0, rule),
            seconds(30) + milliseconds(1400));
}

TEST(Round, AnUnknownSpeedHasAFixedDeadline) {
  const DeadlineRule rule{seconds(30), 5, seconds(120), seconds(40)};
  EXPECT_EQ(round_deadline(RoundKind::kWorld, {}, 2, std::nullopt, rule), seconds(120));
  EXPECT_EQ(round_deadline(RoundKind::kRepeat, {}, 2, 0.0, rule), seconds(120));
  EXPECT_EQ(round_deadline(RoundKind::kPairs, {}, 2, std::nullopt, rule), seconds(40));
}

TEST(Round, AThresholdOfNearlyNothingDoesNotOverflow) {
  EXPECT_LE(round_deadline(RoundKind::kWorld, {}, 2, 1e-300, {}), std::chrono::hours(25));
}

TEST(Round, RanksOfAGroupAreThoseOfItsMembers) {
  const Group group{{{NodeIndex{0}, {LocalRank{0}, LocalRank{1}}}, {NodeIndex{1}, {LocalRank{0}}}}};
  EXPECT_EQ(rank_count(group), 3u);
}

TEST(Round, EveryKindHasAName) {
  EXPECT_EQ(to_string(RoundKind::kIntra), "intra");
  EXPECT_EQ(to_string(RoundKind::kRepeat), "repeat");
}

}  // namespace
}  // namespace muster::bench::localise
