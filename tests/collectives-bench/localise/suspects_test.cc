#include "collectives-bench/localise/suspects.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/collectives-bench/localise/rounds_by_hand.h"

namespace muster::bench::localise {
namespace {

using Nodes = std::vector<std::uint32_t>;

// Three rounds over eight nodes; `outcome(a, b)` is what each pair gives.
template <class Outcome>
PairRecord three_rounds(Outcome outcome) {
  PairRecord record;
  for (const Pairing& pairing : first_pairings(8, 3)) {
    std::vector<GroupOutcome> outcomes;
    for (const auto& [a, b] : pairing) outcomes.push_back(outcome(a, b));
    record.add(pair_round(pairing), outcomes);
  }
  return record;
}

Suspects suspects_of(const PairRecord& record) {
  Nodes active(8);
  std::iota(active.begin(), active.end(), 0u);
  return find_suspects(record, fit_nodes(8, record.samples(), 0.96), active, {});
}

TEST(Suspects, NobodyWhenAllAreAlike) {
  EXPECT_TRUE(suspects_of(three_rounds([](auto, auto) { return measured(40); })).empty());
}

TEST(Suspects, ASlowNodeAndNotItsPartners) {
  const Suspects found = suspects_of(three_rounds(
      [](std::uint32_t a, std::uint32_t b) { return measured(a == 3 || b == 3 ? 30 : 40); }));
  EXPECT_EQ(found.nodes, Nodes{3});
  EXPECT_TRUE(found.links.empty());
}

TEST(Suspects, ASlowLinkAndNotItsEnds) {
  const Suspects found = suspects_of(three_rounds(
      [](std::uint32_t a, std::uint32_t b) { return measured(a == 2 && b == 3 ? 30 : 40); }));
  EXPECT_TRUE(found.nodes.empty());
  EXPECT_EQ(found.links, (std::vector<Pair>{{2, 3}}));
}

TEST(Suspects, TheNodeThatExplainsAllHangs) {
  const PairRecord record = three_rounds([](std::uint32_t a, std::uint32_t b) {
    return a == 5 || b == 5 ? trouble(OutcomeKind::kHung) : measured(40);
  });
  EXPECT_EQ(explain(record, OutcomeKind::kHung), Nodes{5});
  EXPECT_EQ(suspects_of(record).nodes, Nodes{5});
  EXPECT_TRUE(suspects_of(record).links.empty());
}

TEST(Suspects, BothEndsAndTheLinkOfASingleHang) {
  const Suspects found = suspects_of(three_rounds([](std::uint32_t a, std::uint32_t b) {
    return a == 2 && b == 3 ? trouble(OutcomeKind::kWrongData) : measured(40);
  }));
  EXPECT_EQ(found.nodes, (Nodes{2, 3}));
  EXPECT_EQ(found.links, (std::vector<Pair>{{2, 3}}));
}

TEST(Suspects, OneGroupThatCouldNotBeMeasuredAccusesNobody) {
  EXPECT_TRUE(suspects_of(three_rounds([](std::uint32_t a, std::uint32_t b) {
                return a == 2 && b == 3 ? trouble(OutcomeKind::kFailed) : measured(40);
              })).empty());
}

TEST(Suspects, ANodeThatWasHardlyMeasuredIsMeasuredAgain) {
  const Suspects found = suspects_of(three_rounds([](std::uint32_t a, std::uint32_t b) {
    return a == 6 || b == 6 ? trouble(OutcomeKind::kFailed) : measured(40);
  }));
  EXPECT_EQ(found.nodes, Nodes{6});
}

TEST(Suspects, TheSlowestLinkByWhatItsEndsReachWhereNothingStandsOut) {
  // Node 5 is a little slow, which explains its pairs; nothing explains (2, 3).
  const PairRecord record = three_rounds([](std::uint32_t a, std::uint32_t b) {
    return measured(a == 5 || b == 5 ? 38.6 : a == 2 && b == 3 ? 38.8 : 40);
  });
  Suspects found = suspects_of(record);
  EXPECT_TRUE(found.empty());
  suspect_slowest_link(found, record, fit_nodes(8, record.samples(), 0.96));
  EXPECT_TRUE(found.nodes.empty());
  EXPECT_EQ(found.links, (std::vector<Pair>{{2, 3}}));
}

}  // namespace
}  // namespace muster::bench::localise
