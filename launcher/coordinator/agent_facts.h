// AgentFacts: what an agent tells about itself and its node when it joins. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/plan/job_plan.h"
#include "rendezvous/base/result.h"
#include "rendezvous/types.h"

namespace muster::launcher {

inline constexpr std::size_t kMaxErrorText = 4096;  // bytes; what is longer is cut

struct AgentFacts {
  std::string version;  // of muster
  plan::AgentResources resources;
  plan::SlotWish slots;             // --nproc-per-node as this agent was given it
  bool has_nccl_backend = false;    // the module is installed and a GPU is there
  bool has_fabric_backend = false;  // the module is installed
  std::string driver_problem;  // why the GPUs of the node could not be counted; "" if they were
  // Numeric, of the node's interfaces, loopback left out; of the lead agent alone. From one of
  // them a worker of the node may come to the store.
  std::vector<std::string> addresses;
  // A fatal error of this agent alone. It joins all the same, so that the job can say so.
  std::string error;
  std::uint32_t error_exit_code = 0;

  bool operator==(const AgentFacts&) const = default;
};

std::string encode(const AgentFacts& facts);
Result<AgentFacts> parse_agent_facts(std::string_view bytes);

// The ranks of the whole job, from the facts in the roster: the same on every agent. The nodes in
// `left_out` get no ranks.
Result<plan::JobPlan> plan_roster(const rendezvous::Roster& roster, const plan::SlotWish& slots,
                                  const std::vector<NodeIndex>& left_out = {});

}  // namespace muster::launcher
