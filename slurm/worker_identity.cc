#include "slurm/worker_identity.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

#include "slurm/task_counts.h"

namespace muster::slurm {

namespace {

constexpr std::array<std::string_view, 4> kProcessManagers = {"PMI_", "PMI2_", "PMIX_",
                                                              "SLURM_PMI"};
constexpr std::string_view kUserSettings = "PMIX_MCA_";

// The pid and the ports belong to the agent.
constexpr std::array<std::string_view, 2> kOfTheAgent = {"SLURM_TASK_PID", "SLURM_STEP_RESV_PORTS"};

bool belongs_to_process_manager(std::string_view name) {
  if (name.starts_with(kUserSettings)) return false;
  return std::any_of(kProcessManagers.begin(), kProcessManagers.end(),
                     [name](std::string_view prefix) { return name.starts_with(prefix); });
}

void rewrite(Environment& environment, std::string_view name, std::string_view value) {
  if (environment.has(name)) environment.set(name, value);
}

void remove_what_only_agents_have(Environment& environment) {
  std::vector<std::string> names(kOfTheAgent.begin(), kOfTheAgent.end());
  for (const auto& [name, value] : environment.variables()) {
    if (belongs_to_process_manager(name)) names.push_back(name);
  }
  for (const std::string& name : names) environment.unset(name);
}

std::string ranks_of_node(std::uint32_t first, std::uint32_t count) {
  std::string ranks;
  for (std::uint32_t rank = first; rank < first + count; ++rank) {
    ranks += (ranks.empty() ? "" : ",") + std::to_string(rank);
  }
  return ranks;
}

}  // namespace

void tell_worker_identity(Environment& environment, const WorkerIdentity& worker) {
  remove_what_only_agents_have(environment);
  const auto counts = worker.workers_per_node;
  const std::string world =
      std::to_string(std::accumulate(counts.begin(), counts.end(), std::uint32_t{0}));
  const std::string nodes = std::to_string(counts.size());
  const std::string layout = compress_task_counts(counts);
  rewrite(environment, "SLURM_PROCID", std::to_string(worker.rank));
  rewrite(environment, "SLURM_LOCALID", std::to_string(worker.local_rank));
  rewrite(environment, "SLURM_NODEID", std::to_string(worker.node));
  for (const std::string_view name : {"SLURM_NTASKS", "SLURM_NPROCS", "SLURM_STEP_NUM_TASKS"}) {
    rewrite(environment, name, world);
  }
  for (const std::string_view name : {"SLURM_NNODES", "SLURM_STEP_NUM_NODES"}) {
    rewrite(environment, name, nodes);
  }
  for (const std::string_view name : {"SLURM_TASKS_PER_NODE", "SLURM_STEP_TASKS_PER_NODE"}) {
    rewrite(environment, name, layout);
  }
  rewrite(environment, "SLURM_NTASKS_PER_NODE", std::to_string(counts[worker.node]));
  rewrite(environment, "SLURM_GTIDS",
          ranks_of_node(worker.rank - worker.local_rank, counts[worker.node]));
}

}  // namespace muster::slurm
