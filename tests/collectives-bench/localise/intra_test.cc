#include "collectives-bench/localise/intra.h"

#include <gtest/gtest.h>

#include "tests/collectives-bench/localise/rounds_by_hand.h"

namespace muster::bench::localise {
namespace {

using Nodes = std::vector<std::uint32_t>;

void add_rounds(IntraRecord& record, const std::vector<GroupOutcome>& outcomes, int times) {
  Round round;
  round.kind = RoundKind::kIntra;
  for (std::uint32_t node = 0; node < outcomes.size(); ++node) {
    round.groups.push_back({{{NodeIndex{node}, {LocalRank{0}, LocalRank{1}}}}});
  }
  for (int i = 0; i < times; ++i) record.add(round, outcomes);
}

Settings expecting(double busbw) {
  Settings settings;
  settings.intra_expected.thresholds = {{ThresholdSource::kRecorded, busbw, 0.05}};
  return settings;
}

TEST(Intra, ASlowNodeStandsOutAndIsUnfitWhenItDoesAgain) {
  IntraRecord record;
  add_rounds(record, {measured(480), measured(481), measured(360), measured(479)}, 1);
  EXPECT_EQ(record.outstanding({}), Nodes{2});
  EXPECT_EQ(record.of_node(2, {}).standing, Standing::kCleared) << "once is no confirmation";
  add_rounds(record, {measured(480), measured(481), measured(360), measured(479)}, 3);
  EXPECT_EQ(record.of_node(2, {}).standing, Standing::kUnfit);
  EXPECT_EQ(record.of_node(1, {}).standing, Standing::kCleared);
  EXPECT_NEAR(*record.level(), 479.5, 0.5);
}

TEST(Intra, NoiseIsWorthMoreRepeatsWhileSomebodyIsUndecided) {
  const auto repeats = [](double noise, double later) {
    IntraRecord record;
    for (int i = 0; i < 7; ++i) {
      const GroupOutcome high = measured(480 * (1 + noise));
      const GroupOutcome low = measured(480 * (1 - noise));
      const GroupOutcome suspect = measured(480 * (i == 0 ? 0.93 : later));
      add_rounds(record, {high, low, measured(480), suspect, high, low, measured(480)}, 1);
    }
    return record.repeats_wanted({});
  };
  EXPECT_EQ(repeats(0.001, 0.93), 6u) << "little noise";
  EXPECT_EQ(repeats(0.025, 0.93), 18u);
  EXPECT_EQ(repeats(0.025, 1), 6u) << "cleared";
}

TEST(Intra, OfTwoNodesTheOneBelowWhatIsExpected) {
  IntraRecord record;
  add_rounds(record, {measured(480), measured(360)}, 4);
  EXPECT_EQ(record.of_node(1, expecting(480)).standing, Standing::kUnfit);
  EXPECT_EQ(record.of_node(0, expecting(480)).standing, Standing::kCleared);
  EXPECT_TRUE(record.outstanding({}).empty()) << "nothing to compare with";
}

TEST(Intra, TwoNodesBelowAlikeAreNotAccused) {
  IntraRecord record;
  add_rounds(record, {measured(365), measured(366)}, 4);
  EXPECT_TRUE(record.outstanding(expecting(480)).empty());
  EXPECT_EQ(record.of_node(0, expecting(480)).standing, Standing::kCleared);
}

TEST(Intra, WrongDataNeedsNoSecondTimeAHangDoesUnlessThereWasNone) {
  IntraRecord wrong;
  add_rounds(wrong, {measured(480), trouble(OutcomeKind::kWrongData)}, 1);
  EXPECT_EQ(wrong.of_node(1, {}).standing, Standing::kUnfit);
  IntraRecord hung;
  add_rounds(hung, {measured(480), trouble(OutcomeKind::kHung)}, 1);
  EXPECT_EQ(hung.of_node(1, {}).standing, Standing::kUnfit);
  EXPECT_TRUE(hung.saw(OutcomeKind::kHung));
  add_rounds(hung, {measured(480), measured(480)}, 1);
  EXPECT_EQ(hung.of_node(1, {}).standing, Standing::kCleared);
  add_rounds(hung, {measured(480), trouble(OutcomeKind::kHung)}, 1);
  EXPECT_EQ(hung.of_node(1, {}).standing, Standing::kUnfit);
}

TEST(Intra, WhereAllHangNoNodeIsBlamedButTheOnlyOneIs) {
  IntraRecord all;
  add_rounds(all, {trouble(OutcomeKind::kHung), trouble(OutcomeKind::kHung)}, 1);
  EXPECT_EQ(all.of_node(0, {}).standing, Standing::kCleared);
  EXPECT_EQ(all.of_node(1, {}).standing, Standing::kCleared);
  IntraRecord only;
  add_rounds(only, {trouble(OutcomeKind::kHung, "rank 3 did not come")}, 1);
  EXPECT_EQ(only.of_node(0, {}).standing, Standing::kUnfit);
  EXPECT_EQ(only.of_node(0, {}).text, "rank 3 did not come");
}

TEST(Intra, AnotherAlgorithmIsOddAndNotSlow) {
  IntraRecord record;
  add_rounds(record, {measured(480, "NVLS"), measured(365, "RING"), measured(481, "NVLS")}, 4);
  EXPECT_EQ(record.odd_nodes(), Nodes{1});
  EXPECT_TRUE(record.outstanding({}).empty());
  EXPECT_EQ(record.of_node(1, {}).standing, Standing::kCleared);
}

TEST(Intra, ANodeThatNeverMeasuresIsUnmeasured) {
  IntraRecord record;
  add_rounds(record, {measured(480), trouble(OutcomeKind::kFailed, "exit code 3")}, 3);
  EXPECT_EQ(record.of_node(1, {}).standing, Standing::kUnmeasured);
  EXPECT_EQ(record.of_node(1, {}).text, "exit code 3");
  EXPECT_EQ(record.busbw_of(1), 0);
}

}  // namespace
}  // namespace muster::bench::localise
