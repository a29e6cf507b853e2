#include "launcher/plan/shape.h"

#include <algorithm>
#include <map>
#include <optional>
#include <string_view>

#include "rendezvous/base/check.h"

namespace muster::plan {

namespace {

Error wrong(std::string message) {
  return Error(ErrorCode::kInvalidArgument, std::move(message));
}

std::string quantity(std::uint64_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

std::uint32_t most_cores(std::span<const AgentPlace> agents) {
  std::uint32_t cores = 1;
  for (const AgentPlace& agent : agents) cores = std::max(cores, agent.resources.cores);
  return cores;
}

Result<std::uint32_t> count_slots(std::span<const AgentPlace> agents, const SlotWish& wish) {
  const auto tasks = static_cast<std::uint32_t>(agents.size());
  const auto gpus = static_cast<std::uint32_t>(gpus_of_node(agents).size());
  switch (wish.source) {
    case SlotSource::kDefault:
      return tasks == 1 ? std::max<std::uint32_t>(gpus, 1) : tasks;
    case SlotSource::kCount:
      return wish.count;
    case SlotSource::kGpus:
      if (gpus > 0) return gpus;
      return failure(wrong("--nproc-per-node=gpu: no GPU is visible on " + agents[0].host +
                           "; write the number, --nproc-per-node=N, or ask Slurm for GPUs "
                           "(--gpus-per-node=N)"));
    case SlotSource::kCores:
      return most_cores(agents);
    case SlotSource::kAuto:
      return gpus > 0 ? gpus : most_cores(agents);
  }
  return 1;
}

// `srun --ntasks-per-node=1` is ignored inside `#SBATCH --ntasks-per-node=8`, so the line counts
// nodes and tasks.
Error does_not_divide(std::span<const AgentPlace> agents, std::uint32_t slots, std::size_t nodes) {
  const std::string host = agents[0].host;
  return wrong(
      host + " has " + quantity(agents.size(), "task") + " and " + quantity(slots, "slot") +
      ", and " + std::to_string(agents.size()) + " does not divide " + std::to_string(slots) +
      ": write `srun --nodes=" + std::to_string(nodes) + " --ntasks=" + std::to_string(nodes) +
      " muster --nproc-per-node=" + std::to_string(slots) +
      " ...` for one muster a node, or leave --nproc-per-node out for one worker a task");
}

// One worker on one core is slow but honest; several on one core are the default binding of some
// sites, and nobody wants that.
Status check_cores(const AgentPlace& agent, std::uint32_t workers) {
  const AgentResources& has = agent.resources;
  if (!has.bound_by_slurm || has.cores >= workers) return {};
  return failure(wrong("task " + std::to_string(value_of(agent.task)) + " of " + agent.host +
                       " has " + quantity(workers, "worker") + ", but Slurm bound it to " +
                       quantity(has.cores, "core") +
                       ": write `srun -c N` (--cpus-per-task) with "
                       "N at least " +
                       std::to_string(workers) + ", best the node's cores divided by its tasks"));
}

struct DuplicateGpu {
  std::string gpu;
  const AgentPlace* first = nullptr;
  const AgentPlace* second = nullptr;
};

// A worker picks its GPU by its local rank, so that agents that all see all GPUs do not collide.
// Agents that see no more GPUs than they have workers use all they see.
std::optional<DuplicateGpu> find_duplicate_gpu(std::span<const AgentPlace> agents,
                                               std::uint32_t workers) {
  std::map<std::string_view, const AgentPlace*> owners;
  for (const AgentPlace& agent : agents) {
    if (agent.resources.gpus.size() != workers) continue;
    for (const std::string& gpu : agent.resources.gpus) {
      const auto [owner, is_new] = owners.emplace(gpu, &agent);
      if (!is_new) return DuplicateGpu{gpu, owner->second, &agent};
    }
  }
  return std::nullopt;
}

Status check_gpus(std::span<const AgentPlace> agents, std::uint32_t workers) {
  const auto twice = find_duplicate_gpu(agents, workers);
  if (!twice) return {};
  return failure(wrong("GPU " + twice->gpu + " of " + agents[0].host + " is seen by task " +
                       std::to_string(value_of(twice->first->task)) + " and by task " +
                       std::to_string(value_of(twice->second->task)) +
                       ", and each would put a worker on it: give each task its own "
                       "(`srun --gpus-per-task=" +
                       std::to_string(workers) +
                       "`), or let all see all (--gpus-per-node, and no CUDA_VISIBLE_DEVICES in "
                       "the script)"));
}

}  // namespace

std::string to_string(const SlotWish& wish) {
  switch (wish.source) {
    case SlotSource::kDefault:
      return "no --nproc-per-node";
    case SlotSource::kCount:
      return "--nproc-per-node=" + std::to_string(wish.count);
    case SlotSource::kGpus:
      return "--nproc-per-node=gpu";
    case SlotSource::kCores:
      return "--nproc-per-node=cpu";
    case SlotSource::kAuto:
      return "--nproc-per-node=auto";
  }
  return "";
}

std::vector<std::string> gpus_of_node(std::span<const AgentPlace> agents) {
  std::vector<std::string> all;
  for (const AgentPlace& agent : agents) {
    for (const std::string& gpu : agent.resources.gpus) {
      if (std::find(all.begin(), all.end(), gpu) == all.end()) all.push_back(gpu);
    }
  }
  return all;
}

Result<Shape> decide_shape(std::span<const AgentPlace> agents, const SlotWish& wish,
                           std::size_t nodes) {
  MUSTER_CHECK(!agents.empty());
  MUSTER_TRY(slots, count_slots(agents, wish));
  const auto tasks = static_cast<std::uint32_t>(agents.size());
  if (slots > kMaxSlotsPerNode) {
    return failure(ErrorCode::kLimit, agents[0].host + " would get " + quantity(slots, "worker") +
                                          "; expected at most " + std::to_string(kMaxSlotsPerNode));
  }
  if (slots == 0 || slots % tasks != 0) return failure(does_not_divide(agents, slots, nodes));
  const Shape shape{tasks, slots / tasks};
  for (const AgentPlace& agent : agents) {
    MUSTER_RETURN_IF_ERROR(check_cores(agent, shape.slots_per_agent));
  }
  MUSTER_RETURN_IF_ERROR(check_gpus(agents, shape.slots_per_agent));
  return shape;
}

}  // namespace muster::plan
