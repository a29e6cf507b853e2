// GroupOutcome: what came back from one group of a round. Pure.
//
// Four kinds that are never confused. A group that failed was not measured: that is neither slow
// nor fine. A hang is missing data at the round's deadline.
#pragma once

#include <string>
#include <vector>

#include "rendezvous/base/ids.h"

namespace muster::bench::localise {

enum class OutcomeKind { kMeasured, kHung, kWrongData, kFailed };

struct Measurement {
  double p50_busbw = 0;   // GB/s at the median iteration; what is judged
  double p99_busbw = 0;   // at the iteration that 99 % are not slower than; 0: unknown
  double cv = 0;          // standard deviation / mean of the iterations' times
  std::string algorithm;  // "NVLS", "Ring"; "" when the library does not tell

  bool operator==(const Measurement&) const = default;
};

struct GroupOutcome {
  OutcomeKind kind = OutcomeKind::kFailed;
  Measurement measured;           // of kMeasured
  std::string text;               // of the others: what was seen, one line, may be empty
  std::vector<NodeIndex> silent;  // of kHung: members that reported nothing

  bool operator==(const GroupOutcome&) const = default;
};

}  // namespace muster::bench::localise
