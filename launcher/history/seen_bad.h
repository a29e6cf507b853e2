// Which nodes are suspected first, from what is remembered of earlier jobs. Pure.
//
// It is the machine that is remembered, not its name: HyperPod replaces a machine and keeps the
// name, and hands the old one's GPUs to somebody else's node. Memory never condemns a node: it only
// says whom to measure first.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <vector>

#include "launcher/history/verdict_record.h"

namespace muster::history {

inline constexpr std::chrono::days kMemorySpan{7};
inline constexpr std::chrono::hours kClockSlack{1};  // a record may be this far in our future
inline constexpr std::size_t kTimesSeenBad = 2;

struct NodeIdentity {
  std::string host;
  std::string instance_id;        // "" where it is not known
  std::vector<std::string> gpus;  // UUIDs
};

// The verdicts of the last kMemorySpan about this machine, in the order given: records with its
// instance id or one of its GPUs. The host name counts only where the record or the node tells
// neither. Several faults of one verdict are one finding, the first of them.
std::vector<Record> past_findings(std::span<const Record> records, const NodeIdentity& node,
                                  std::chrono::sys_seconds now);

// At least kTimesSeenBad of them.
bool seen_bad(std::span<const Record> records, const NodeIdentity& node,
              std::chrono::sys_seconds now);

}  // namespace muster::history
