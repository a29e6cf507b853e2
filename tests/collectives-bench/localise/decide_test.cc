#include "collectives-bench/localise/decide.h"

#include <gtest/gtest.h>

#include <cmath>

namespace muster::bench::localise {
namespace {

double confidence(double ratio, std::size_t samples, double noise, double prior = 0.5) {
  return believe_slow(std::vector<double>(samples, ratio), samples, {noise, 100}, 100, {0.9, prior})
      .confidence;
}

TEST(Decide, HalfWayBetweenHealthyAndSlowThePriorDecides) {
  EXPECT_NEAR(confidence(0.95, 5, 0.02, 0.3), 0.3, 1e-9);
}

TEST(Decide, TheFormulaOfTheReadme) {
  const double variance = std::pow(1.1 * 0.04, 2) * (1.0 / 5 + 1.0 / 100);
  const double nu = 37;  // of 100 samples
  const double odds =
      std::log(0.2 / 0.8) +
      (nu + 1) / 2 * std::log((nu * variance + 0.06 * 0.06) / (nu * variance + 0.04 * 0.04));
  EXPECT_NEAR(confidence(0.94, 5, 0.04, 0.2), 1 / (1 + std::exp(-odds)), 1e-9);
}

TEST(Decide, ASpreadThatFewSamplesToldProvesLess) {
  const auto sure_by = [](std::size_t told) {
    return believe_slow({0.93, 0.93, 0.93}, 3, {0.02, told}, 20, {0.9, 0.2}).confidence;
  };
  EXPECT_LT(sure_by(6), sure_by(100));
  EXPECT_EQ(sure_by(0), sure_by(6)) << "as many as the lower bound of sigma is worth";
}

TEST(Decide, OneVerySlowSampleOfTwoProvesNoMoreThanThatItWasInTheTail) {
  const auto sure_by = [](const std::vector<double>& ratios) {
    return believe_slow(ratios, ratios.size() + 1, {0.02, 100}, 20, {0.9, 0.5}).confidence;
  };
  EXPECT_LT(sure_by({1.01, 0.58}), 0.97);
  EXPECT_GT(sure_by({0.8, 0.8}), 0.998);
  EXPECT_LE(sure_by({0.96, 0.96, 0.96}), 0.5) << "none is nearer to slow than to healthy";
}

TEST(Decide, MoreSamplesAndLessNoiseMakeItSurer) {
  EXPECT_LT(confidence(0.93, 3, 0.04), confidence(0.93, 9, 0.04));
  EXPECT_LT(confidence(0.93, 3, 0.04), confidence(0.93, 3, 0.03));
  EXPECT_LT(confidence(1.0, 3, 0.02), 0.01);
  EXPECT_LT(confidence(1.3, 3, 0.02), 0.01);
}

TEST(Decide, NeverCertainAndNothingWithoutSamples) {
  EXPECT_EQ(confidence(0.3, 12, 0.01), kMostConfidence);
  EXPECT_EQ(believe_slow({}, 0, {0.02, 10}, 10, {}).confidence, 0);
}

TEST(Decide, FewSamplesMayAllBeChance) {
  // Both of two in the tail: once in 2,500. Against a prior of 1 in 1,000 that is no proof.
  EXPECT_LT(confidence(0.5, 2, 0.01, 0.001), 0.75);
  EXPECT_GT(confidence(0.5, 9, 0.01, 0.001), 0.99);
}

TEST(Decide, AReferenceOfOneSampleClearsNobody) {
  // It may lie in the tail itself: then everybody looks fast.
  const std::vector<double> fast(9, 1.4);
  EXPECT_GT(believe_slow(fast, 9, {0.02, 100}, 1, {0.9, 0.5}).confidence, 0.002);
  EXPECT_LT(believe_slow(fast, 9, {0.02, 100}, 3, {0.9, 0.5}).confidence, 0.002);
}

TEST(Decide, ThePriorIsSharedAmongTheSuspects) {
  EXPECT_DOUBLE_EQ(prior_among(1), 0.5);
  EXPECT_DOUBLE_EQ(prior_among(9), 0.1);
  EXPECT_DOUBLE_EQ(prior_among(100000), 0.01);
}

TEST(Decide, RepeatsBuildConfidence) {
  EXPECT_DOUBLE_EQ(confidence_of_repeats(0), 0);
  EXPECT_NEAR(confidence_of_repeats(2), 0.99, 1e-12);
  EXPECT_EQ(confidence_of_repeats(40), kMostConfidence);
}

}  // namespace
}  // namespace muster::bench::localise
