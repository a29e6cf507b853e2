// Statistics over the times of single iterations. Pure. MEASURING.md says what they mean.
#pragma once

#include <span>

namespace muster::bench {

struct IterationStatistics {
  double p50_us = 0;
  double p99_us = 0;
  double cv = 0;  // coefficient of variation: standard deviation by mean, 0.03 for 3 %

  bool operator==(const IterationStatistics&) const = default;
};

// Percentiles are those of the nearest rank: of up to 100 samples, p99 is the largest.
// samples must not be empty.
IterationStatistics summarize(std::span<const double> samples_us);

}  // namespace muster::bench
