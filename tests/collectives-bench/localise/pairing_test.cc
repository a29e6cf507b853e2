#include "collectives-bench/localise/pairing.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

namespace muster::bench::localise {
namespace {

TEST(Pairing, EveryTwoNodesMeetOnceInATournament) {
  for (std::uint32_t nodes = 0; nodes <= 33; ++nodes) {
    std::set<Pair> met;
    for (const Pairing& pairing : first_pairings(nodes, tournament_length(nodes))) {
      for (const Pair& pair : pairing) {
        EXPECT_LT(pair.first, pair.second);
        EXPECT_TRUE(met.insert(pair).second) << nodes << ": " << pair.first << "-" << pair.second;
      }
    }
    EXPECT_EQ(met.size(), nodes < 2 ? 0 : nodes * (nodes - 1) / 2) << nodes;
  }
}

TEST(Pairing, NoNodeIsTwiceInARoundAndAnOddCountLeavesOneOut) {
  for (const std::uint32_t nodes : {2u, 3u, 7u, 8u, 511u, 512u}) {
    for (const Pairing& pairing : first_pairings(nodes, 6)) {
      std::set<std::uint32_t> seen;
      for (const auto& [a, b] : pairing) {
        EXPECT_TRUE(seen.insert(a).second);
        EXPECT_TRUE(seen.insert(b).second);
        EXPECT_LT(b, nodes);
      }
      EXPECT_EQ(seen.size(), nodes - nodes % 2);
    }
  }
}

TEST(Pairing, TheFirstRoundsAreTheLinksOfTheRing) {
  for (const std::uint32_t nodes : {4u, 5u, 8u, 9u, 512u}) {
    std::set<Pair> met;
    for (const Pairing& pairing : first_pairings(nodes, 2 + nodes % 2)) {
      met.insert(pairing.begin(), pairing.end());
    }
    for (std::uint32_t node = 0; node < nodes; ++node) {
      const Pair link = std::minmax(node, (node + 1) % nodes);
      EXPECT_EQ(met.count(link), 1u) << nodes << ": " << link.first << "-" << link.second;
    }
  }
}

TEST(Pairing, StartsAgainWhenAllHaveMet) {
  const std::vector<Pairing> pairings = first_pairings(4, 6);
  ASSERT_EQ(pairings.size(), 6u);
  EXPECT_EQ(pairings[0], (Pairing{{0, 1}, {2, 3}}));
  EXPECT_EQ(pairings[1], (Pairing{{0, 3}, {1, 2}}));
  EXPECT_EQ(pairings[3], pairings[0]);
}

TEST(Pairing, TheRingIsMeasuredInItsFirstRounds) {
  EXPECT_EQ(ring_length(2), 1u);
  for (std::uint32_t nodes = 3; nodes < 20; ++nodes) {
    std::set<Pair> met;
    for (const Pairing& pairing : first_pairings(nodes, ring_length(nodes))) {
      met.insert(pairing.begin(), pairing.end());
    }
    for (std::uint32_t node = 0; node < nodes; ++node) {
      EXPECT_EQ(met.count(std::minmax(node, (node + 1) % nodes)), 1u) << nodes << " nodes";
    }
  }
}

}  // namespace
}  // namespace muster::bench::localise
