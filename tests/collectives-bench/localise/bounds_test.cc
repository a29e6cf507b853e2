// The bounds that the verdict is held to, on few seeds; judge-table measures them on more.
#include <gtest/gtest.h>

#include "tests/collectives-bench/localise/trial.h"

namespace muster::bench::localise {
namespace {

constexpr Noise kUsual{0.02, 0.01, 0.2, 20};
constexpr Noise kTwice{0.04, 0.02, 0.4, 20};
constexpr Noise kHardest{0.04, 0.02, 0.4, 1};  // a sample is a whole measurement

TrialSpec spec_of(Scenario scenario, std::uint32_t nodes, const Noise& noise) {
  TrialSpec spec;
  spec.scenario = scenario;
  spec.nodes = nodes;
  spec.noise = noise;
  spec.least_depth = 0.1;
  spec.most_depth = 0.5;
  return spec;
}

void expect_bounds(const TrialSpec& spec, std::uint32_t trials) {
  const Score score = run_trials(spec, 1, trials);
  EXPECT_GE(score.precision(), 0.95) << spec.nodes << " nodes";
  EXPECT_GE(score.recall(), 0.95) << spec.nodes << " nodes";
  EXPECT_LT(score.false_evictions(), 0.01) << spec.nodes << " nodes";
  EXPECT_LE(score.most_rounds, Localiser::most_rounds({}));
}

TEST(LocaliseBounds, OneNodeTenPercentSlow) {
  for (const Noise& noise : {kUsual, kTwice}) {
    for (const std::uint32_t nodes : {4u, 8u, 32u}) {
      TrialSpec spec = spec_of(Scenario::kSlowNodes, nodes, noise);
      spec.most_depth = 0.1;
      expect_bounds(spec, 20);
    }
  }
}

TEST(LocaliseBounds, OneNodeTenPercentSlowWhereAMeasurementIsAsNoisyAsAnIteration) {
  for (const std::uint32_t nodes : {4u, 8u, 32u}) {
    TrialSpec spec = spec_of(Scenario::kSlowNodes, nodes, kHardest);
    spec.most_depth = 0.1;
    expect_bounds(spec, 60);
  }
}

TEST(LocaliseBounds, ThreeSlowNodes) {
  for (const Noise& noise : {kUsual, kTwice}) {
    for (const std::uint32_t nodes : {8u, 32u}) {
      TrialSpec spec = spec_of(Scenario::kSlowNodes, nodes, noise);
      spec.faulty = 3;
      expect_bounds(spec, 12);
    }
  }
}

TEST(LocaliseBounds, ABadLinkOfTheRing) {
  for (const std::uint32_t nodes : {4u, 32u}) {
    expect_bounds(spec_of(Scenario::kLinkOnRing, nodes, kTwice), 20);
  }
}

TEST(LocaliseBounds, FewNodesAndLinksWhereAMeasurementIsAsNoisyAsAnIteration) {
  for (const Scenario scenario : {Scenario::kSlowNodes, Scenario::kLinkOnRing}) {
    for (const std::uint32_t nodes : {3u, 5u}) {
      TrialSpec spec = spec_of(scenario, nodes, kHardest);
      spec.most_depth = 0.1;
      const Score score = run_trials(spec, 50001, 60);
      EXPECT_GE(score.precision(), 0.95) << nodes << " nodes";
      EXPECT_GE(score.recall(), 0.93) << nodes << " nodes; 0.96 of 2000";
      EXPECT_LT(score.false_evictions(), 0.01) << nodes << " nodes";
    }
  }
}

TEST(LocaliseBounds, ABadRail) {
  TrialSpec spec = spec_of(Scenario::kRail, 8, kTwice);
  spec.local_ranks = 8;
  const Score score = run_trials(spec, 1, 20);
  EXPECT_GE(score.recall(), 0.95);
  EXPECT_GE(score.rails_found, 19u);
  EXPECT_LE(score.rails_named, score.rails_found + 1);
}

TEST(LocaliseBounds, MissingDataHidesNobody) {
  TrialSpec spec = spec_of(Scenario::kSlowNodes, 16, kTwice);
  spec.missing = 0.05;
  expect_bounds(spec, 20);
}

TEST(LocaliseBounds, MissingDataAmongFewNoisyNodesComesToAnEnd) {
  TrialSpec spec = spec_of(Scenario::kSlowNodes, 3, kHardest);
  spec.missing = 0.2;  // so often that all three sit out
  const Score score = run_trials(spec, 1, 60);
  EXPECT_LE(score.most_rounds, Localiser::most_rounds({}));
  EXPECT_LT(score.false_evictions(), 0.02);
}

TEST(LocaliseBounds, HealthyClustersAreLeftAlone) {
  for (const Scenario scenario : {Scenario::kHealthy, Scenario::kAllSlow}) {
    const Score score = run_trials(spec_of(scenario, 32, kTwice), 1, 20);
    EXPECT_EQ(score.named, 0u);
  }
}

TEST(LocaliseBounds, FiveHundredNodesTakeAsManyRoundsAsEight) {
  TrialSpec spec = spec_of(Scenario::kSlowNodes, 512, kUsual);
  spec.faulty = 3;
  const Score score = run_trials(spec, 1, 1);
  EXPECT_EQ(score.found, 3u);
  EXPECT_EQ(score.named, 3u);
  EXPECT_LE(score.most_rounds, 10u);
}

}  // namespace
}  // namespace muster::bench::localise
