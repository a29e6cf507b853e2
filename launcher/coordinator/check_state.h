// CheckState: one check of the machine, from its first round to the choice of nodes; and why a node
// is left out. A job that checks again before a restart begins with an empty one.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "launcher/coordinator/check_log.h"
#include "launcher/coordinator/check_round.h"
#include "launcher/coordinator/check_settings.h"
#include "launcher/coordinator/node_selection.h"
#include "rendezvous/base/time.h"

namespace muster::launcher {

struct CheckState {
  std::set<std::uint32_t> absent;  // places of nodes that were out before it
  CheckWishes wishes;
  std::vector<CheckNode> nodes;  // all of the job, by place
  std::optional<NodeSelection> selection;
  std::optional<CheckRound> round;  // under way
  CheckLog log;
  TimePoint search_end{};
  bool searching = false;
  bool repeating = false;     // nodes measure themselves again, before all are measured together
  bool is_cut_short = false;  // the round under way, by search_end
  std::optional<Choice> choice;
};

// What a record of the node memory calls it; a fault that the check measured has its own name.
inline constexpr const char* kFaultLost = "lost";
inline constexpr const char* kFaultProbes = "probes";
inline constexpr const char* kFaultAgent = "agent";  // it, or what it started, did not obey

// Why a node is not in the world, and will not be in the next attempt's.
struct LeftOut {
  std::string fault;
  std::string evidence;  // one line
  double ratio = 0;      // of what good nodes reach; 0 unless slow

  bool operator==(const LeftOut&) const = default;
};

// "lost: connection closed", "its workers outlived SIGKILL".
inline std::string text_of(const LeftOut& out) {
  return out.fault == kFaultLost ? "lost: " + out.evidence : out.evidence;
}

}  // namespace muster::launcher
