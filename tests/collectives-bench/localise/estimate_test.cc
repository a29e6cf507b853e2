#include "collectives-bench/localise/estimate.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "collectives-bench/localise/pairing.h"

namespace muster::bench::localise {
namespace {

// What six rounds over nodes of these speeds would measure without noise.
std::vector<PairSample> measure(const std::vector<double>& speeds) {
  std::vector<PairSample> samples;
  for (const Pairing& pairing : first_pairings(static_cast<std::uint32_t>(speeds.size()), 6)) {
    for (const auto& [a, b] : pairing) {
      samples.push_back({a, b, std::min(speeds[a], speeds[b])});
    }
  }
  return samples;
}

TEST(Estimate, MedianOfEvenCountsIsTheMeanOfTheMiddle) {
  EXPECT_EQ(median({}), 0);
  EXPECT_EQ(median({3}), 3);
  EXPECT_EQ(median({4, 1, 3, 2}), 2.5);
}

TEST(Estimate, RobustMeanCutsAnOutlier) {
  EXPECT_NEAR(robust_mean({1.0, 1.02, 0.98, 0.4}, 0.02), 0.99, 0.01);
  EXPECT_EQ(robust_mean({}, 0.02), 0);
}

TEST(Estimate, NoiseIsNeverBelowWhatHealthyNodesDiffer) {
  EXPECT_EQ(robust_noise({}), kLeastNoise);
  EXPECT_EQ(robust_noise({0, 0, 0}), kLeastNoise);
  EXPECT_NEAR(robust_noise(std::vector<double>(10000, 0.04)), 1.4826 * 0.04 * 1.01, 1e-4);
}

TEST(Estimate, APairRunsAtTheSpeedOfItsSlowerEnd) {
  const std::vector<double> speeds{40, 40, 20, 40, 30, 40, 40, 40};
  const NodeFit fit = fit_nodes(8, measure(speeds), 0.96);
  EXPECT_DOUBLE_EQ(fit.reference, 40);
  for (std::uint32_t node = 0; node < 8; ++node) {
    EXPECT_DOUBLE_EQ(fit.factors[node], speeds[node] / 40) << node;
    EXPECT_EQ(fit.good[node], speeds[node] == 40) << node;
  }
}

TEST(Estimate, ThreeSlowOfSevenDoNotMoveTheReference) {
  const NodeFit fit = fit_nodes(7, measure({40, 20, 40, 28, 40, 36, 40}), 0.96);
  EXPECT_DOUBLE_EQ(fit.reference, 40);
  EXPECT_DOUBLE_EQ(fit.factors[5], 0.9);
  EXPECT_TRUE(fit.good[0] && fit.good[2] && fit.good[4] && fit.good[6]);
}

TEST(Estimate, ANodeWithoutSamplesIsNeitherGoodNorBad) {
  const std::vector<PairSample> samples{{0, 1, 40}};
  const NodeFit fit = fit_nodes(3, samples, 0.96);
  EXPECT_FALSE(fit.measured(2));
  EXPECT_FALSE(fit.good[2]);
  EXPECT_TRUE(fit.measured(0));
  EXPECT_EQ(fit_nodes(2, {}, 0.96).reference, 0);
}

}  // namespace
}  // namespace muster::bench::localise
