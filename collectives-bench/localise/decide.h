// Belief: how sure it is that something is slow, given its ratios to what good ones reach. Pure.
#pragma once

#include <vector>

namespace muster::bench::localise {

inline constexpr double kMostConfidence = 0.999;  // no model of noise deserves more

inline constexpr double kTailShare = 0.02;  // samples that are slow by chance, at most

struct Belief {
  std::size_t samples = 0;  // seen
  double ratio = 0;         // robust mean
  double confidence = 0;    // that it is slow, not healthy; 0 to kMostConfidence
};

struct Hypotheses {
  double slow = 0.9;    // "slow" is this ratio or less, "healthy" is 1
  double prior = 0.05;  // that it is slow, before any of these ratios
};

struct Spread {
  double sigma = 0.01;      // of one ratio
  std::size_t samples = 0;  // that told it
};

// `reference_samples` went into the reference that the ratios refer to. `seen` samples were taken,
// of which `ratios` are those that count.
Belief believe_slow(const std::vector<double>& ratios, std::size_t seen, const Spread& spread,
                    std::size_t reference_samples, const Hypotheses& hypotheses);

// The prior of `suspects` when something is known to be wrong: one of them, or none.
double prior_among(std::size_t suspects);

// Of a hang or of wrong data that came `times` times where a healthy one has it at most once in
// ten.
double confidence_of_repeats(std::size_t times);

}  // namespace muster::bench::localise
