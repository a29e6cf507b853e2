#include "collectives-bench/localise/decide.h"

#include <algorithm>
#include <cmath>

#include "collectives-bench/localise/estimate.h"

namespace muster::bench::localise {

namespace {

// Half of the samples may lie in the noise's tail by chance: minus the logarithm of how probable
// that is, ln [C(k, h) tail^h], h = k/2 rounded up.
double most_evidence(std::size_t samples) {
  const std::size_t half = (samples + 1) / 2;
  double logarithm = 0;
  for (std::size_t i = 1; i <= half; ++i) {
    const double ways = static_cast<double>(samples - half + i) / static_cast<double>(i);
    logarithm += std::log(ways * kTailShare);
  }
  return std::max(-logarithm, 0.0);
}

}  // namespace

Belief believe_slow(const std::vector<double>& ratios, std::size_t seen, double noise,
                    std::size_t reference_samples, const Hypotheses& hypotheses) {
  Belief belief;
  belief.samples = seen;
  if (ratios.empty()) return belief;
  belief.ratio = robust_mean(ratios, noise);
  const double k = static_cast<double>(ratios.size());
  const double m = static_cast<double>(std::max<std::size_t>(reference_samples, 1));
  const double variance = std::pow(kRobustMeanSpread * noise, 2) * (1 / k + 1 / m);
  const double x = belief.ratio;
  const double slow = std::min(x, hypotheses.slow);
  const double evidence = (std::pow(x - 1, 2) - std::pow(x - slow, 2)) / (2 * variance);
  const double log_odds =
      std::log(hypotheses.prior / (1 - hypotheses.prior)) +
      std::clamp(evidence, -most_evidence(reference_samples), most_evidence(seen));
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
