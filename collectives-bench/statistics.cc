#include "collectives-bench/statistics.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "rendezvous/base/check.h"

namespace muster::bench {

namespace {

double percentile(const std::vector<double>& sorted, double share) {
  const auto place = std::ceil(share * static_cast<double>(sorted.size()));
  return sorted[static_cast<std::size_t>(std::max(place, 1.0)) - 1];
}

}  // namespace

IterationStatistics summarize(std::span<const double> samples_us) {
  MUSTER_CHECK(!samples_us.empty());
  std::vector<double> sorted(samples_us.begin(), samples_us.end());
  std::sort(sorted.begin(), sorted.end());
  const auto count = static_cast<double>(sorted.size());
  double mean = 0;
  for (const double sample : sorted) mean += sample / count;
  double variance = 0;
  for (const double sample : sorted) variance += (sample - mean) * (sample - mean) / count;
  return {.p50_us = percentile(sorted, 0.50),
          .p99_us = percentile(sorted, 0.99),
          .cv = mean > 0 ? std::sqrt(variance) / mean : 0.0};
}

}  // namespace muster::bench
