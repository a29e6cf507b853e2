// Verdict: the decision drawn from one round of a check gang. Pure.
//
// Three outcomes that are never confused: go (measured, right, not below the minimum), stop (wrong
// data, a hang, or measured below the minimum), and "could not measure", which is neither slow nor
// fine. In that order of weight: wrong data, hang, could not measure, slow.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectives-bench/report.h"

namespace muster::bench {

// Why a rank has no report.
enum class MissingReason {
  kKilledAtDeadline,  // it was still there when the round's deadline passed
  kExited,            // it ended without a report
  kNotStarted,        // it never ran
  kBadReport,         // what it wrote was no report
};

struct RankOutcome {  // the place in the list is the rank
  std::string host;
  std::optional<RankReport> report;
  MissingReason missing = MissingReason::kNotStarted;  // when there is no report
  std::string detail;  // "exit code 3", "SIGSEGV", the parser's error; may be empty
};

struct Limits {
  double min_busbw = 0;  // GB/s at the largest size, out of place; 0: no minimum
};

enum class Decision { kGo, kStop, kNotMeasured };

std::string_view to_string(Decision decision);  // "go", "stop", "could not measure"; static

// What came back, whatever is decided on it.
enum class Seen { kMeasured, kWrongData, kHung, kNotMeasured };

struct Verdict {
  Decision decision = Decision::kNotMeasured;
  Seen seen = Seen::kNotMeasured;
  std::string line;         // one line with numbers, for the log
  std::uint64_t bytes = 0;  // the largest size, when measured
  double busbw = 0;         // GB/s there, from the mean time of all ranks
  // There, of the rank whose median iteration is the longest; where no iterations were timed the
  // first is busbw and the others are 0.
  double p50_busbw = 0;
  double p99_busbw = 0;
  double cv = 0;
  std::vector<std::uint32_t> culprits;  // ranks that the line accuses, ascending
};

// `outcomes` has one entry for each rank of the gang.
Verdict judge(const std::vector<RankOutcome>& outcomes, const Limits& limits);

}  // namespace muster::bench
