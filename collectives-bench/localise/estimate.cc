#include "collectives-bench/localise/estimate.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <utility>

namespace muster::bench::localise {

namespace {

constexpr int kMostSweeps = 20;
constexpr double kHuberCut = 1.5;       // sigmas
constexpr double kMadToSigma = 1.4826;  // of a Gaussian

struct Met {
  std::uint32_t partner;
  double busbw;
};

// A high value of what the node reached, not the highest: noise goes up as well.
double upper_quartile(std::vector<double> values) {
  std::sort(values.begin(), values.end(), std::greater<>());
  return values[values.size() / 4];
}

double error_of(double candidate, const std::vector<Met>& meetings,
                const std::vector<double>& levels) {
  double sum = 0;
  for (const Met& met : meetings) {
    sum += std::abs(met.busbw - std::min(candidate, levels[met.partner]));
  }
  return sum;
}

// The mean of the node's measurements that explain them best.
double best_level(const std::vector<Met>& meetings, const std::vector<double>& levels) {
  double best = std::numeric_limits<double>::infinity();
  double sum = 0;
  double count = 0;
  for (const Met& met : meetings) {
    const double error = error_of(met.busbw, meetings, levels);
    const double tie = 1e-9 * met.busbw;
    if (error < best - tie) {
      best = error;
      sum = 0;
      count = 0;
    }
    if (error <= best + tie) {
      sum += met.busbw;
      count += 1;
    }
  }
  return sum / count;
}

std::vector<double> fit_levels(std::uint32_t nodes, std::span<const PairSample> samples) {
  std::vector<std::vector<Met>> meetings(nodes);
  for (const PairSample& sample : samples) {
    meetings[sample.a].push_back({sample.b, sample.busbw});
    meetings[sample.b].push_back({sample.a, sample.busbw});
  }
  std::vector<double> levels(nodes, kNoFactor);
  for (std::uint32_t node = 0; node < nodes; ++node) {
    if (meetings[node].empty()) continue;
    std::vector<double> values;
    for (const Met& met : meetings[node]) values.push_back(met.busbw);
    levels[node] = upper_quartile(std::move(values));
  }
  for (int sweep = 0; sweep < kMostSweeps; ++sweep) {
    bool changed = false;
    for (std::uint32_t node = 0; node < nodes; ++node) {
      if (meetings[node].empty()) continue;
      const double level = best_level(meetings[node], levels);
      changed = changed || std::abs(level - levels[node]) > 1e-6 * level;
      levels[node] = level;
    }
    if (!changed) break;
  }
  return levels;
}

std::vector<double> samples_among(const std::vector<bool>& good,
                                  std::span<const PairSample> samples) {
  std::vector<double> values;
  for (const PairSample& sample : samples) {
    if (good[sample.a] && good[sample.b]) values.push_back(sample.busbw);
  }
  return values;
}

}  // namespace

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return *middle;
  return (*middle + *std::max_element(values.begin(), middle)) / 2;
}

double robust_mean(const std::vector<double>& values, double sigma) {
  if (values.empty()) return 0;
  const double middle = median(values);
  double sum = 0;
  for (const double value : values) {
    sum += std::clamp(value - middle, -kHuberCut * sigma, kHuberCut * sigma);
  }
  return middle + sum / static_cast<double>(values.size());
}

double robust_noise(std::vector<double> distances) {
  if (distances.empty()) return kLeastNoise;
  const double few = 1 + 1 / std::sqrt(static_cast<double>(distances.size()));
  return std::max(kLeastNoise, kMadToSigma * median(std::move(distances)) * few);
}

std::vector<double> distances_to(const std::vector<double>& values, double center) {
  std::vector<double> distances;
  for (const double value : values) distances.push_back(std::abs(value / center - 1));
  return distances;
}

NodeFit fit_nodes(std::uint32_t nodes, std::span<const PairSample> samples, double screen) {
  NodeFit fit;
  fit.factors.assign(nodes, kNoFactor);
  fit.good.assign(nodes, false);
  if (samples.empty()) return fit;
  const std::vector<double> levels = fit_levels(nodes, samples);
  std::vector<double> known;
  std::copy_if(levels.begin(), levels.end(), std::back_inserter(known),
               [](double level) { return level == level; });
  fit.reference = upper_quartile(std::move(known));
  for (int sweep = 0; sweep < kMostSweeps; ++sweep) {
    std::vector<bool> good(nodes);
    for (std::uint32_t node = 0; node < nodes; ++node) {
      good[node] = levels[node] >= screen * fit.reference;  // false for a node without samples
    }
    const bool settled = good == fit.good;
    fit.good = std::move(good);
    const std::vector<double> among = samples_among(fit.good, samples);
    if (among.empty()) break;
    fit.reference = median(among);
    fit.reference_samples = among.size();
    fit.noise = robust_noise(distances_to(among, fit.reference));
    if (settled) break;
  }
  for (std::uint32_t node = 0; node < nodes; ++node)
    fit.factors[node] = levels[node] / fit.reference;
  return fit;
}

}  // namespace muster::bench::localise
