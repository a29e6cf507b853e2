// Shape: how many workers a node gets and how they are shared out among its agents. Pure.
//
//   T = agents (Slurm tasks) on the node, S = slots (workers) on the node; T must divide S.
//
//   --nproc-per-node    S
//   absent, T = 1       the GPUs that the agent sees, else 1
//   absent, T > 1       T: one worker each, as the user asked Slurm for
//   N                   N; the flag counts per node, so 8 tasks with N = 8 are still 8 workers
//   gpu                 the GPUs of the node: all that its agents see, each counted once
//   auto                as gpu; without GPUs as cpu, as torchrun does
//   cpu                 the cores that an agent may use
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rendezvous/base/ids.h"
#include "rendezvous/base/result.h"

namespace muster::plan {

inline constexpr std::uint32_t kMaxSlotsPerNode = 1024;

enum class SlotSource { kDefault, kCount, kGpus, kCores, kAuto };

// --nproc-per-node as the user gave it.
struct SlotWish {
  SlotSource source = SlotSource::kDefault;
  std::uint32_t count = 0;  // for kCount

  bool operator==(const SlotWish&) const = default;
};

// "--nproc-per-node=8", "no --nproc-per-node".
std::string to_string(const SlotWish& wish);

// What an agent can use on its node; each agent finds out for itself.
struct AgentResources {
  std::uint32_t cores = 1;      // of its CPU mask
  bool bound_by_slurm = false;  // slurm::is_bound_by_slurm; a small machine is no mistake
  // UUIDs; empty where unknown. `gpus`: those CUDA would show, in the order of
  // CUDA_VISIBLE_DEVICES. `reachable_gpus`: all that the process may open (without device cgroups
  // all of the node).
  std::vector<std::string> gpus;
  std::vector<std::string> reachable_gpus;

  bool operator==(const AgentResources&) const = default;
};

struct AgentPlace {
  NodeIndex node{};
  LocalTask task{};
  std::string host;
  AgentResources resources;
  // What this agent itself was told; it decides for its node, so nodes may differ. Absent: all
  // agents were told the same (plan_job).
  std::optional<SlotWish> told = std::nullopt;

  bool operator==(const AgentPlace&) const = default;
};

struct Shape {
  std::uint32_t agents = 1;
  std::uint32_t slots_per_agent = 1;

  std::uint32_t slots() const { return agents * slots_per_agent; }
  bool operator==(const Shape&) const = default;
};

// `agents` are all agents of one node in the order of their tasks, at least one. `nodes` is the
// number of nodes of the step, for the line to write instead. Errors: T does not divide S; no GPU
// for "gpu"; an agent bound to fewer cores than it has workers; a GPU that two agents would both
// use.
Result<Shape> decide_shape(std::span<const AgentPlace> agents, const SlotWish& wish,
                           std::size_t nodes);

// The UUIDs seen by the agents, each once, in the order of agents.
std::vector<std::string> gpus_of_node(std::span<const AgentPlace> agents);

}  // namespace muster::plan
