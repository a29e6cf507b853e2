// Clock offsets of nodes, from one question and its answer each, as NTP has it. Pure.
//
// The coordinator asks at t1 and has the answer at t4, both by its own clock, which runs evenly and
// starts anywhere. The node hears the question at t2 and answers at t3 by its wall clock, maybe
// seconds later: it has looked at itself in between. Then the node's clock is ahead of the
// coordinator's by
//
//   offset = ((t2 - t1) + (t3 - t4)) / 2
//
// and that is wrong by no more than half of the time that question and answer were on their way,
// since neither can have taken less than nothing:
//
//   uncertainty = ((t4 - t1) - (t3 - t2)) / 2 + (t4 - t1) / 1000
//
// The last term: two clocks that are being slewed, by at most 500 ppm each, drift apart meanwhile.
//
// Where the coordinator's clock starts is the same number in the offsets of all nodes, so it is
// gone from their differences, and no wall clock of the coordinator is needed or believed.
#pragma once

#include <cstdint>
#include <vector>

#include "launcher/health/probes/health_facts.h"

namespace muster::health {

inline constexpr const char* kClocksDiffer =
    "differs between the nodes, and no majority of them agrees";

struct ClockExchange {        // microseconds; at most 2^53, so that sums of them fit
  std::int64_t asked = 0;     // t1
  std::int64_t heard = 0;     // t2; 0: the node did not tell
  std::int64_t answered = 0;  // t3
  std::int64_t received = 0;  // t4
};

struct ClockReading {
  std::int64_t us = 0;
  std::int64_t uncertainty_us = 0;  // plus or minus
  bool operator==(const ClockReading&) const = default;

  bool is_surely_beyond(std::int64_t limit_us) const {
    return (us < 0 ? -us : us) - uncertainty_us > limit_us;
  }
  bool is_surely_within(std::int64_t limit_us) const {
    return (us < 0 ? -us : us) + uncertainty_us <= limit_us;
  }
};

// No value where the node did not tell, or its clock was set while it looked.
Fact<ClockReading> read_clock(const ClockExchange& exchange);

// Each reading against the median of all that have a value: in the same order. The median's own
// uncertainty is part of theirs: it lies between the medians of all lower and of all upper ends.
// No value at all with fewer than two readings, or with kClocksDiffer when no majority may be
// within kClockOffsetWarnUs of the median.
std::vector<Fact<ClockReading>> offsets_from_median(
    const std::vector<Fact<ClockReading>>& readings);

// The same without asking for a majority: what a reader may judge himself.
std::vector<Fact<ClockReading>> differences_from_median(
    const std::vector<Fact<ClockReading>>& readings);

}  // namespace muster::health
