// Node factors, reference and noise from measurements of pairs. Pure. README.md has the formulas.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <vector>

namespace muster::bench::localise {

struct PairSample {
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  double busbw = 0;  // GB/s
};

// The mean of the two in the middle when even; 0 of nothing.
double median(std::vector<double> values);

// The mean after each distance from the median is cut at 1.5 sigma: as robust as the median against
// a few outliers, and steadier. 0 of nothing.
double robust_mean(const std::vector<double>& values, double sigma);

// Standard error of robust_mean over that of a plain mean without outliers, rounded up.
inline constexpr double kRobustMeanSpread = 1.1;

// sigma of a Gaussian core from the distances (as ratios) to a center: their median, widened where
// they are few; at least kLeastNoise.
double robust_noise(std::vector<double> distances);

// Those of `values` to `center`, as ratios to it.
std::vector<double> distances_to(const std::vector<double>& values, double center);

// Two healthy nodes differ by so much, however steady each of them is.
inline constexpr double kLeastNoise = 0.01;

inline constexpr double kNoFactor = std::numeric_limits<double>::quiet_NaN();

struct NodeFit {
  std::vector<double> factors;  // of the reference; kNoFactor for a node without samples
  std::vector<bool> good;       // factor at least `screen`
  double reference = 0;         // GB/s, of a pair of two good nodes; 0 without samples
  double noise = kLeastNoise;   // sigma of one sample
  std::size_t reference_samples = 0;

  bool measured(std::uint32_t node) const { return factors[node] == factors[node]; }
};

// A pair runs at the speed of its slower end: the factors that explain the samples with the least
// sum of absolute errors, and the level that good nodes reach among themselves.
NodeFit fit_nodes(std::uint32_t nodes, std::span<const PairSample> samples, double screen);

}  // namespace muster::bench::localise
