#include "collectives-bench/localise/rails.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/collectives-bench/localise/rounds_by_hand.h"

namespace muster::bench::localise {
namespace {

using Ranks = std::vector<LocalRank>;

// One round: node 0 (with `slow` rails at `speed`) with node 1, nodes 2 and 3 as control.
RailRecord rails(const std::vector<std::uint32_t>& slow, double speed, double others = 5) {
  Round round;
  round.kind = RoundKind::kRails;
  round.groups = rail_groups({{0, 1}, {2, 3}}, 4);
  std::vector<GroupOutcome> outcomes;
  for (std::uint32_t rank = 0; rank < 4; ++rank) {
    const bool bad = std::find(slow.begin(), slow.end(), rank) != slow.end();
    outcomes.push_back(measured(bad ? speed : others));
  }
  for (std::uint32_t rank = 0; rank < 4; ++rank) outcomes.push_back(measured(5));
  RailRecord record;
  record.add(round, outcomes);
  return record;
}

const std::vector<bool> kGood{false, true, true, true};

TEST(Rails, GroupsAreOneLocalRankOfTwoNodes) {
  const std::vector<Group> groups = rail_groups({{0, 3}}, 2);
  ASSERT_EQ(groups.size(), 2u);
  EXPECT_EQ(groups[1].members[0], (Member{NodeIndex{0}, {LocalRank{1}}}));
  EXPECT_EQ(groups[1].members[1], (Member{NodeIndex{3}, {LocalRank{1}}}));
}

TEST(Rails, OneSlowRailIsNamed) {
  EXPECT_EQ(rails({2}, 2.5).suspects(0, 0.5, kGood), Ranks{LocalRank{2}});
}

TEST(Rails, TwoSlowRailsAreNamed) {
  EXPECT_EQ(rails({0, 2}, 2.5).suspects(0, 0.5, kGood), (Ranks{LocalRank{0}, LocalRank{2}}));
}

TEST(Rails, ANodeThatIsSlowOnAllRailsHasNoSuspectGpu) {
  EXPECT_TRUE(rails({}, 0, 2.5).suspects(0, 0.5, kGood).empty());
}

TEST(Rails, WithoutControlsTheNodesOwnRailsAreTheMeasure) {
  EXPECT_EQ(rails({1}, 2.5).suspects(0, 0.5, std::vector<bool>(4)), Ranks{LocalRank{1}});
  EXPECT_TRUE(rails({}, 0, 2.5).suspects(0, 0.5, std::vector<bool>(4)).empty());
}

TEST(Rails, NothingMeasuredNamesNothing) {
  EXPECT_TRUE(RailRecord().suspects(0, 0.5, kGood).empty());
}

}  // namespace
}  // namespace muster::bench::localise
