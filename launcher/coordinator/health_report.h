// The document of `muster check --json`: probes, comparison, measurement, verdict. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "collectives-bench/profile/profile.h"
#include "launcher/coordinator/check_log.h"
#include "launcher/coordinator/health_board.h"
#include "launcher/coordinator/node_selection.h"

namespace muster::launcher {

inline constexpr int kHealthReportVersion = 2;

struct CheckRecord {
  int exit_code = 0;
  std::string job;   // "4711.0"
  std::string when;  // UTC, of the start
  double seconds = 0;
  std::string backend;  // "" when nothing was measured
  const bench::Profile* profile = nullptr;
  std::optional<double> min_busbw;      // the user's, over all nodes
  const HealthBoard* health = nullptr;  // null: the nodes were not looked at
  const CheckLog* log = nullptr;        // null: nothing was measured
  const Choice* choice = nullptr;       // null: it did not come to one
  std::vector<std::string> hosts;       // of all nodes, by place
  std::vector<std::string> left_out;    // hosts that are unfit or gone
  std::vector<std::string> commands;    // that an operator would run
};

// One line of JSON without a newline. Bad UTF-8 is replaced.
std::string print_health_report(const CheckRecord& record);

}  // namespace muster::launcher
