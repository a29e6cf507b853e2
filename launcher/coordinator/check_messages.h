// StartCheck: what an agent is told to measure, as a value and as bytes. Pure. See messages.h.
//
// The processes that could take part in a check are numbered over the whole job: with one process
// a slot as the ranks of the workers, with one a node as the nodes of the plan. A round runs some
// of them in groups that know nothing of each other, each with a rendezvous of its own on the
// coordinator's node. Round ranks number a round's processes, group after group.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "launcher/coordinator/gang_id.h"
#include "rendezvous/base/bytes.h"

namespace muster::launcher {

// Processes first, first + 1, ... of the whole job.
struct ProcessRange {
  std::uint32_t first = 0;
  std::uint32_t count = 0;

  bool operator==(const ProcessRange&) const = default;
};

struct CheckGroup {
  std::uint32_t number = 0;  // in the round; part of the name of its rendezvous
  std::uint16_t port = 0;    // where it meets, on the coordinator's node
  std::uint32_t first_round_rank = 0;
  std::vector<ProcessRange> members;  // in the order of their ranks in the group

  bool operator==(const CheckGroup&) const = default;
};

// Start this agent's processes of a round: one per slot (nccl) or one per node (fabric, on the lead
// agent).
struct StartCheck {
  GangId gang{};
  bool one_per_node = false;
  std::vector<std::string> arguments;      // of muster-bench, the same for every rank
  std::string key;                         // proves the members to their group
  std::vector<std::string> environment{};  // as in StartWorkers: measured is what the job gets
  std::vector<CheckGroup> groups;          // those with processes of this agent

  bool operator==(const StartCheck&) const = default;
};

inline constexpr std::uint32_t kMaxArguments = 256;
inline constexpr std::uint32_t kMaxCheckGroups = 1024;  // of one agent
inline constexpr std::uint32_t kMaxProcessRanges = 65536;

// "check.7.3": the scope of a group's rendezvous, the same on the coordinator and the agents.
std::string check_scope(GangId gang, std::uint32_t group);

// Ascending numbers that follow each other become one range.
std::vector<ProcessRange> fold_ranges(const std::vector<std::uint32_t>& numbers);

void write(ByteWriter& writer, const StartCheck& message);
StartCheck read_start_check(ByteReader& reader);

}  // namespace muster::launcher
