#include "collectives-bench/localise/expectation.h"

#include <algorithm>

namespace muster::bench::localise {

std::string_view to_string(ThresholdSource source) {
  switch (source) {
    case ThresholdSource::kPublished:
      return "published";
    case ThresholdSource::kEstimated:
      return "estimated";
    case ThresholdSource::kRecorded:
      return "recorded";
    case ThresholdSource::kMinimum:
      return "minimum";
  }
  return "unknown";
}

std::optional<double> Expectation::lowest() const {
  std::optional<double> least;
  for (const Threshold& threshold : thresholds) {
    least = std::min(least.value_or(threshold.floor()), threshold.floor());
  }
  return least;
}

const Threshold* Expectation::missed_by(double busbw) const {
  const Threshold* missed = nullptr;
  for (const Threshold& threshold : thresholds) {
    if (busbw >= threshold.floor()) continue;
    if (missed == nullptr || (threshold.stops() && !missed->stops())) missed = &threshold;
  }
  return missed;
}

}  // namespace muster::bench::localise
