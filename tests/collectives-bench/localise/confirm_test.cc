#include "collectives-bench/localise/confirm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>
#include <set>

#include "tests/collectives-bench/localise/rounds_by_hand.h"

namespace muster::bench::localise {
namespace {

// Six rounds of pairs over `nodes`, where `speed(a, b)` is measured, and what they leave to
// confirm.
template <class Speed>
class Stage {
 public:
  Stage(std::uint32_t nodes, Speed speed, std::vector<std::uint32_t> seen_bad = {})
      : speed_(speed) {
    for (const Pairing& pairing : first_pairings(nodes, 6)) measure(pairing, RoundKind::kPairs);
    std::vector<std::uint32_t> active(nodes);
    std::iota(active.begin(), active.end(), 0u);
    const NodeFit fit = fit_nodes(nodes, record.samples(), 0.96);
    confirmation.emplace(find_suspects(record, fit, active, {}), fit, record, active, seen_bad,
                         Rules{});
  }

  void measure(const Pairing& pairing, RoundKind kind) {
    std::vector<GroupOutcome> outcomes;
    for (const auto& [a, b] : pairing) outcomes.push_back(measured(speed_(a, b)));
    record.add(pair_round(pairing, kind), outcomes);
  }

  // How many rounds it takes until all are decided.
  std::uint32_t finish() {
    std::uint32_t done = 0;
    for (; done < 40; ++done) {
      const Pairing pairs = confirmation->plan(record, done);
      if (pairs.empty()) break;
      measure(pairs, RoundKind::kConfirm);
    }
    return done;
  }

  PairRecord record;
  std::optional<Confirmation> confirmation;

 private:
  Speed speed_;
};

TEST(Confirm, SuspectsMeetAnotherGoodPartnerEachTime) {
  Stage stage(8, [](auto a, auto b) { return a == 2 || b == 2 ? 30.0 : 40.0; });
  EXPECT_EQ(stage.finish(), 3u);
  std::set<std::uint32_t> partners;
  for (const Observation* seen : stage.record.of(2)) {
    if (seen->confirm) partners.insert(seen->partner_of(2));
  }
  EXPECT_EQ(partners.size(), 3u);
  const Opinions opinions = stage.confirmation->opinions(stage.record, true);
  ASSERT_EQ(opinions.nodes.size(), 1u);
  EXPECT_EQ(opinions.nodes.at(2).standing, Standing::kUnfit);
  EXPECT_NEAR(opinions.nodes.at(2).belief.ratio, 0.75, 1e-9);
  EXPECT_NEAR(opinions.nodes.at(2).busbw, 30, 1e-9);
}

TEST(Confirm, NobodyToConfirmNeedsNoRound) {
  Stage stage(8, [](auto, auto) { return 40.0; });
  EXPECT_EQ(stage.finish(), 0u);
}

TEST(Confirm, ASlowLinkAmongThreeNodesAccusesNeitherEnd) {
  Stage stage(3, [](auto a, auto b) { return a == 0 && b == 1 ? 30.0 : 40.0; });
  stage.finish();
  const Opinions opinions = stage.confirmation->opinions(stage.record, true);
  for (const auto& [node, opinion] : opinions.nodes) {
    EXPECT_EQ(opinion.standing, Standing::kCleared) << node;
  }
  ASSERT_EQ(opinions.links.count({0, 1}), 1u);
  EXPECT_EQ(opinions.links.at({0, 1}).standing, Standing::kUnfit);
}

TEST(Confirm, WhatWasSlowOnceAndIsNotNowIsCleared) {
  Stage stage(8, [](auto a, auto b) { return a == 2 || b == 2 ? 30.0 : 40.0; });
  for (std::uint32_t done = 0; done < 4; ++done) {
    const Pairing pairs = stage.confirmation->plan(stage.record, done);
    const std::vector<GroupOutcome> fine(pairs.size(), measured(40));
    if (!pairs.empty()) stage.record.add(pair_round(pairs, RoundKind::kConfirm), fine);
  }
  const Opinions opinions = stage.confirmation->opinions(stage.record, true);
  EXPECT_EQ(opinions.nodes.at(2).standing, Standing::kCleared);
}

TEST(Confirm, ALinkLookedAtAgainAndAgainDoesNotOutvoteTheOtherPartners) {
  Stage stage(8, [](auto a, auto b) { return a == 2 || b == 2 ? 36.0 : 40.0; });
  const auto confirm = [&](std::uint32_t partner, double busbw) {
    stage.record.add(pair_round({std::minmax(2u, partner)}, RoundKind::kConfirm),
                     {measured(busbw)});
  };
  for (int i = 0; i < 8; ++i) confirm(3, 32);
  confirm(4, 24);  // in the tail: this partner is the slowest, not the one with the bad link
  for (const std::uint32_t partner : {5u, 6u, 7u}) confirm(partner, 40);
  const Opinions opinions = stage.confirmation->opinions(stage.record, true);
  EXPECT_NE(opinions.nodes.at(2).standing, Standing::kUnfit);
}

TEST(Confirm, NoiseIsWorthMoreRounds) {
  Stage quiet(8, [](auto a, auto b) { return a == 2 || b == 2 ? 30.0 : 40.0; });
  EXPECT_EQ(quiet.confirmation->rounds_wanted(quiet.record), 12u);
  std::mt19937 random(3);
  std::normal_distribution<double> noise(1, 0.05);
  Stage noisy(32, [&](auto a, auto b) { return noise(random) * (a == 2 || b == 2 ? 20 : 40); });
  EXPECT_GT(noisy.confirmation->rounds_wanted(noisy.record), 30u);
  EXPECT_LE(noisy.confirmation->rounds_wanted(noisy.record), 48u);
}

TEST(Confirm, MoreSuspectsThanGoodNodesTakeTurns) {
  Stage stage(6, [](auto a, auto b) { return a < 3 || b < 3 ? 20.0 : 40.0; });
  EXPECT_LE(stage.finish(), 12u);
  const Opinions opinions = stage.confirmation->opinions(stage.record, true);
  for (std::uint32_t node = 0; node < 3; ++node) {
    EXPECT_EQ(opinions.nodes.at(node).standing, Standing::kUnfit) << node;
  }
}

TEST(Confirm, ANodeSeenBadBeforeIsConfirmedThoughItWasFine) {
  Stage stage(8, [](auto, auto) { return 40.0; }, {5});
  EXPECT_GT(stage.finish(), 0u);
  const Opinions opinions = stage.confirmation->opinions(stage.record, true);
  EXPECT_EQ(opinions.nodes.at(5).standing, Standing::kCleared);
}

}  // namespace
}  // namespace muster::bench::localise
