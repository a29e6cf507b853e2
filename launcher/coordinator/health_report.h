// The document of `muster check --json`: probes, comparison, measurement, verdict. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "collectives-bench/verdict.h"
#include "launcher/coordinator/health_board.h"

namespace muster::launcher {

inline constexpr int kHealthReportVersion = 1;

struct CheckRecord {
  int exit_code = 0;
  std::string profile;
  const HealthBoard* health = nullptr;  // null: the nodes were not looked at
  std::string backend;                  // "" when nothing was measured
  std::vector<bench::RankOutcome> outcomes;
  std::string verdict;  // of the measurement, one line
};

// One line of JSON without a newline. Bad UTF-8 is replaced.
std::string print_health_report(const CheckRecord& record);

}  // namespace muster::launcher
