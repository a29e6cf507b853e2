// HealthBoard: what the looks at the nodes found, judged by the profile and compared. Pure.
//
// Its lines are for the job's user, most important first, each told once:
//
//   health: node3: FAIL nofile 256: at most 256 files can be open; expected 65536: ...
//   health: node[1-4]: WARN persistence off: ...
//   health: 4 nodes, 40 probes passed, 92 skipped
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "launcher/coordinator/health_messages.h"
#include "launcher/health/probes/compare.h"
#include "launcher/health/probes/judge.h"
#include "rendezvous/base/time.h"

namespace muster::launcher {

inline constexpr std::size_t kMaxHealthLines =
    16;                                       // of FAIL and of WARN, each; the rest is counted
inline constexpr std::size_t kMaxTables = 8;  // nodes whose probes are printed in full

struct NodeHealth {
  std::string host;
  std::string instance_id;  // by any look
  std::optional<health::HealthFacts> before;
  std::optional<health::HealthFacts> after;
  health::Fact<health::ClockReading> clock;  // of the last look; against the coordinator's
  std::string problem;                       // why the last look gave nothing; "" when it did
  std::vector<std::string> settings;
  std::optional<health::NcclFacts> nccl;     // what NCCL told of itself in the check
  std::vector<health::ProbeResult> results;  // of the last judge()
  bool is_awaited = false;
};

class HealthBoard {
 public:
  explicit HealthBoard(const std::vector<std::string>& hosts);

  // Before another check: what was found is forgotten, what was told is not.
  void begin_anew();
  // Nodes are places in the list of hosts. The first look is the one before the check.
  void begin_look(TimePoint now);
  void note(std::size_t node, const NodeLooked& message, TimePoint now);
  bool is_complete() const;
  // Who has not answered is not waited for; `why` is told of it.
  void end_look(const std::string& why);

  // The node is gone: nothing is awaited from it.
  void forget(std::size_t node);

  // From the check's processes of that node, any number of them.
  void note_nccl(std::size_t node, const health::NcclFacts& facts);

  // Counters can grow on a node only where it has a GPU driver or an EFA device, or NCCL ran.
  bool has_devices() const;

  // Judges with all looks there are; gives the lines that were not told before.
  std::vector<std::string> judge(const health::Expectations& profile);
  bool is_unfit() const { return is_unfit_; }
  // Those with a FAIL, and those that differ from the others in what must agree.
  std::vector<std::size_t> unfit_nodes() const;

  // The probes of each node for people; of many nodes only what was found.
  std::string tables() const;
  const std::vector<NodeHealth>& nodes() const { return nodes_; }
  const std::vector<health::Disagreement>& disagreements() const { return disagreements_; }

 private:
  void set_clock_offsets();
  void set_nccl_facts();
  void compare();
  std::vector<std::string> disagreement_lines() const;
  std::vector<std::string> finding_lines(health::Answer answer, bool only_general) const;
  std::string summary() const;

  std::vector<NodeHealth> nodes_;
  std::vector<health::Disagreement> disagreements_;
  std::set<std::string> told_;
  std::size_t looks_ = 0;
  TimePoint asked_{};  // the look of the moment
  bool is_unfit_ = false;
};

}  // namespace muster::launcher
