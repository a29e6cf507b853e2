// Compare: the facts of all nodes by majority, the odd ones named. Pure.
//
//   node003: driver 550.54.14, 63 others 550.90.07
//
// A fact that more than half of the nodes agree on is right, and who differs is odd.
// Without such a majority the fact is told and nobody is blamed.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "launcher/health/probes/clock_offset.h"
#include "launcher/health/probes/health_facts.h"
#include "launcher/health/probes/probe_result.h"

namespace muster::health {

inline constexpr std::size_t kMaxDisagreements = 32;  // lines of print_disagreements

inline constexpr const char* kClockFact = "clock";

struct NodeFacts {
  std::string host;
  std::map<std::string, std::string> facts;  // "driver" -> "550.90.07"
  Fact<ClockReading> clock;                  // against any zero that is the same for all
};

// What of a node's facts should be the same on all: versions, counts, limits, NCCL's settings.
NodeFacts comparable_facts(const std::string& host, const HealthFacts& facts);

// Leaves out what NCCL told of itself, for where not all nodes could be asked.
void forget_nccl(NodeFacts& node);

// Adds the variables that steer NCCL and libfabric: NCCL_*, FI_*, OFI_* and LD_LIBRARY_PATH.
void add_settings(const std::vector<std::pair<std::string, std::string>>& variables,
                  NodeFacts& node);

struct FactGroup {
  std::string value;
  std::vector<std::string> hosts;  // in the order given
  bool operator==(const FactGroup&) const = default;
};

struct Disagreement {
  std::string fact;
  Answer answer = Answer::kWarn;  // FAIL for what cannot work together: NCCL, the number of GPUs
  bool has_majority = false;
  std::vector<FactGroup> groups;  // the largest first; with a majority the first is right
  bool operator==(const Disagreement&) const = default;
};

// Facts that all nodes share are left out. A node that lacks a fact which others have is a group of
// the value "none". Clocks are compared with their median.
std::vector<Disagreement> compare_nodes(const std::vector<NodeFacts>& nodes);

// The hosts that differ from a majority in something that is a FAIL; sorted, each once.
std::vector<std::string> odd_hosts(const std::vector<Disagreement>& disagreements);

// One line each, hosts folded, at most kMaxDisagreements and a count of the rest. "" for none.
std::string print_disagreements(const std::vector<Disagreement>& disagreements);

}  // namespace muster::health
