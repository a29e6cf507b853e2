#include "launcher/health/probes/clock_offset.h"

#include <algorithm>

#include "launcher/health/probes/probe_limits.h"

namespace muster::health {

namespace {

using Reading = Fact<ClockReading>;

constexpr std::int64_t kSlew = 1000;  // 1 part in so many; see the header

// The lower one of an even number; `values` is not empty.
std::int64_t median_of(std::vector<std::int64_t> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

}  // namespace

Reading read_clock(const ClockExchange& exchange) {
  if (exchange.heard == 0 || exchange.answered == 0) {
    return Reading::none("was not told by its agent");
  }
  const std::int64_t whole = exchange.received - exchange.asked;
  const std::int64_t on_the_way = whole - (exchange.answered - exchange.heard);
  const std::int64_t slew = whole / kSlew;
  // Less than nothing on the way: not the two clocks' drift, so the node's was set meanwhile.
  if (whole < 0 || exchange.answered < exchange.heard || on_the_way < -slew) {
    return Reading::none("could not be told: its clock was set during the look");
  }
  return ClockReading{(exchange.heard - exchange.asked + exchange.answered - exchange.received) / 2,
                      std::max<std::int64_t>(on_the_way, 0) / 2 + slew + 1};
}

std::vector<Reading> differences_from_median(const std::vector<Reading>& readings) {
  std::vector<std::int64_t> offsets;
  std::vector<std::int64_t> lower;
  std::vector<std::int64_t> upper;
  for (const Reading& reading : readings) {
    if (!reading.value) continue;
    offsets.push_back(reading.value->us);
    lower.push_back(reading.value->us - reading.value->uncertainty_us);
    upper.push_back(reading.value->us + reading.value->uncertainty_us);
  }
  std::vector<Reading> differences = readings;
  if (offsets.empty()) return differences;
  const std::int64_t median = median_of(offsets);
  const std::int64_t doubt =
      std::max(median_of(std::move(upper)) - median, median - median_of(std::move(lower)));
  for (Reading& difference : differences) {
    if (!difference.value) continue;
    if (offsets.size() < 2) {
      difference = Reading::none("needs a second node");
    } else {
      difference.value->us -= median;
      difference.value->uncertainty_us += doubt;
    }
  }
  return differences;
}

std::vector<Reading> offsets_from_median(const std::vector<Reading>& readings) {
  std::vector<Reading> offsets = differences_from_median(readings);
  std::size_t told = 0;
  std::size_t near = 0;
  for (const Reading& offset : offsets) {
    if (!offset.value) continue;
    ++told;
    if (!offset.value->is_surely_beyond(kClockOffsetWarnUs)) ++near;
  }
  if (near * 2 > told) return offsets;
  for (Reading& offset : offsets) {
    if (offset.value) offset = Reading::none(kClocksDiffer);
  }
  return offsets;
}

}  // namespace muster::health
