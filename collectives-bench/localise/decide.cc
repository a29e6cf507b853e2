#include "collectives-bench/localise/decide.h"

#include <algorithm>
#include <cmath>

#include "collectives-bench/localise/estimate.h"

namespace muster::bench::localise {

namespace {

// What a median of distances tells of sigma, as a share of what a mean of squares would.
constexpr double kMedianEfficiency = 0.37;
// However few they are: sigma has a lower bound, and few of them widen it.
constexpr double kLeastFreedom = 4;

// So many of the samples may lie in the noise's tail by chance: minus the logarithm of how probable
// that is, ln [C(k, h) tail^h].
double evidence_of(std::size_t in_tail, std::size_t samples) {
  double logarithm = 0;
  for (std::size_t i = 1; i <= in_tail; ++i) {
    const double ways = static_cast<double>(samples - in_tail + i) / static_cast<double>(i);
    logarithm += std::log(ways * kTailShare);
  }
  return std::max(-logarithm, 0.0);
}

// Half of them, rounded up, move a mean. One more sample proves no less, though half of an even
// number is a smaller share.
double most_evidence(std::size_t samples) {
  const std::size_t odd = samples % 2 == 0 && samples > 2 ? samples - 1 : samples;
  return evidence_of((odd + 1) / 2, odd);
}

// One very slow sample pulls a mean of few below the boundary. What counts is how many are there.
double evidence_of_the_slow(const std::vector<double>& ratios, double slow) {
  const auto in_tail = std::count_if(ratios.begin(), ratios.end(),
                                     [slow](double ratio) { return ratio < (1 + slow) / 2; });
  return evidence_of(static_cast<std::size_t>(in_tail), ratios.size());
}

}  // namespace

Belief believe_slow(const std::vector<double>& ratios, std::size_t seen, const Spread& spread,
                    std::size_t reference_samples, const Hypotheses& hypotheses) {
  Belief belief;
  belief.samples = seen;
  if (ratios.empty()) return belief;
  belief.ratio = robust_mean(ratios, spread.sigma);
  const double k = static_cast<double>(ratios.size());
  const double m = static_cast<double>(std::max<std::size_t>(reference_samples, 1));
  const double variance = std::pow(kRobustMeanSpread * spread.sigma, 2) * (1 / k + 1 / m);
  const double x = belief.ratio;
  const double slow = std::min(x, hypotheses.slow);
  const double freedom =
      std::max(kLeastFreedom, kMedianEfficiency * static_cast<double>(spread.samples));
  // Student's, not Gauss's: sigma is itself a guess from few samples.
  const auto surprise = [&](double expected) {
    return (freedom + 1) / 2 * std::log1p(std::pow(x - expected, 2) / (freedom * variance));
  };
  const double evidence = surprise(1) - surprise(slow);
  const double log_odds =
      std::log(hypotheses.prior / (1 - hypotheses.prior)) +
      std::clamp(evidence, -most_evidence(reference_samples),
                 std::min(most_evidence(seen), evidence_of_the_slow(ratios, hypotheses.slow)));
  belief.confidence = std::min(1 / (1 + std::exp(-log_odds)), kMostConfidence);
  return belief;
}

double prior_among(std::size_t suspects) {
  return std::max(0.01, 1 / (1 + static_cast<double>(suspects)));
}

double confidence_of_repeats(std::size_t times) {
  return std::min(1 - std::pow(0.1, static_cast<double>(times)), kMostConfidence);
}

}  // namespace muster::bench::localise
