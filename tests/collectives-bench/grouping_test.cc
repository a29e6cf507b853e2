#include "collectives-bench/grouping.h"

#include <gtest/gtest.h>

namespace muster::bench {
namespace {

// Three nodes with two ranks each.
std::vector<Place> three_nodes() {
  std::vector<Place> places;
  for (std::uint32_t rank = 0; rank < 6; ++rank) {
    places.push_back({rank / 2, rank % 2, std::string(1, static_cast<char>('a' + rank / 2))});
  }
  return places;
}

TEST(Grouping, WithoutASplitIsAll) {
  EXPECT_EQ(split_world(Split::kNone, three_nodes()),
            (std::vector<Group>{{"all", {0, 1, 2, 3, 4, 5}}}));
}

TEST(Grouping, SplitsByNodeRailAndPair) {
  EXPECT_EQ(
      split_world(Split::kNode, three_nodes()),
      (std::vector<Group>{{"node 0 (a)", {0, 1}}, {"node 1 (b)", {2, 3}}, {"node 2 (c)", {4, 5}}}));
  EXPECT_EQ(split_world(Split::kRail, three_nodes()),
            (std::vector<Group>{{"rail 0", {0, 2, 4}}, {"rail 1", {1, 3, 5}}}));
  EXPECT_EQ(split_world(Split::kPair, three_nodes()),
            (std::vector<Group>{{"nodes 0-1 (a, b)", {0, 1, 2, 3}}, {"node 2 (c)", {4, 5}}}));
}

TEST(Grouping, EveryRankFindsItsGroup) {
  const auto groups = split_world(Split::kRail, three_nodes());
  EXPECT_EQ(group_of(groups, 3).name, "rail 1");
  EXPECT_EQ(group_of(groups, 4).name, "rail 0");
}

TEST(Grouping, ItsWordsRoundTripAndOthersAreRefused) {
  for (const Split split : {Split::kNone, Split::kNode, Split::kRail, Split::kPair}) {
    EXPECT_EQ(parse_split(to_string(split)), split);
  }
  const auto split = parse_split("gpu");
  ASSERT_FALSE(split);
  EXPECT_EQ(split.error().message(), "--split gpu: expected node, rail, pair or none");
}

}  // namespace
}  // namespace muster::bench
