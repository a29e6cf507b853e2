// Expectation: what a round should reach, and what follows when it does not. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace muster::bench::localise {

enum class ThresholdSource {
  kPublished,  // only warns
  kEstimated,  // from a baseline of another shape: only warns
  kRecorded,   // a baseline of this cluster: stops
  kMinimum,    // the user's word: stops
};

std::string_view to_string(ThresholdSource source);  // "published", ...; static

struct Threshold {
  ThresholdSource source = ThresholdSource::kPublished;
  double busbw = 0;      // GB/s
  double tolerance = 0;  // as a share: 0.04 allows 4 % less

  double floor() const { return busbw * (1 - tolerance); }
  bool stops() const {
    return source == ThresholdSource::kRecorded || source == ThresholdSource::kMinimum;
  }
};

struct Expectation {
  std::vector<Threshold> thresholds;
  std::string algorithm;  // with which they were taken; "": unknown

  bool known() const { return !thresholds.empty(); }
  // What a deadline may count on: the lowest of them.
  std::optional<double> lowest() const;
  // The one that `busbw` misses and that weighs most; null when it reaches all.
  const Threshold* missed_by(double busbw) const;
};

}  // namespace muster::bench::localise
