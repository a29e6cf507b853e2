// The environment of a worker: the agent's, with torchrun's variables complete, ours added, and
// what belongs to the agent alone taken away. Pure. The policy is the table in README.md.
#pragma once

#include <cstdint>
#include <string>

#include "launcher/plan/job_plan.h"
#include "rendezvous/base/environment.h"
#include "rendezvous/base/ids.h"

namespace muster::plan {

// Every process that descends from an agent carries this variable, so that those which left their
// process group can be found in /proc.
inline constexpr std::string_view kMarkerVariable = "MUSTER_MARKER";

enum class StoreMode {
  kRank0,  // rank 0's PyTorch opens its own store on MASTER_PORT
  kAgent,  // rank 0's agent serves the store; all ranks are clients
};

struct AttemptFacts {
  std::string run_id;
  Attempt attempt{};
  std::uint32_t max_restarts = 0;
  std::string role = "default";
  // Numeric, the address by which this agent reaches rank 0's agent.
  std::string master_address;
  std::uint16_t master_port = 0;
  StoreMode store = StoreMode::kRank0;
  std::string marker;  // see marker_of
};

// "4242.1.0 agent 3 attempt 2 5f3a": unique per agent and attempt. `nonce` tells apart two
// runs with the same ids on one machine.
std::string marker_of(std::string_view run_id, MemberIndex agent, Attempt attempt,
                      std::string_view nonce);

// "4242.1.0": job, step, restart count. The restart count belongs to it because Slurm counts steps
// from 0 again after a requeue.
std::string default_run_id(const slurm::Step& step);

// `worker` is one of `plan`. `error_file` is where @record writes; "" for none.
Environment make_worker_environment(const Environment& agent, const JobPlan& plan,
                                    const WorkerPlan& worker, const AttemptFacts& attempt,
                                    std::string_view error_file);

}  // namespace muster::plan
