// JobPlan: who runs where. Pure: the same agents and wish give the same plan on every node.
//
// Rank order is node order, then local task, then slot. Nothing of Slurm's own numbers is used.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "launcher/plan/shape.h"
#include "rendezvous/base/environment.h"
#include "rendezvous/base/ids.h"
#include "rendezvous/base/result.h"
#include "slurm/step.h"

namespace muster::plan {

// How the workers of a node find their GPU.
enum class DeviceSharing {
  kInherited,  // all see the agent's devices and LOCAL_RANK picks one: torchrun's way
  kJoined,     // tasks were given different GPUs of an open node: every worker sees the GPUs of all
               // tasks, in task order, and LOCAL_RANK picks one
  kOwn,        // tasks cannot open each other's GPUs (cgroups): LOCAL_RANK counts within the task
};

std::string_view to_string(DeviceSharing sharing);

struct WorkerPlan {
  Rank rank{};
  LocalRank local_rank{};  // on its node
  NodeIndex node{};
  std::uint32_t group = 0;  // place of the node in JobPlan::nodes
  MemberIndex agent{};
  std::uint32_t slot = 0;                      // place among its agent's workers
  std::uint32_t device_rank = 0;               // what LOCAL_RANK says; differs for kOwn
  std::optional<std::string> visible_devices;  // CUDA_VISIBLE_DEVICES; inherited when absent

  bool operator==(const WorkerPlan&) const = default;
};

struct NodePlan {
  NodeIndex node{};
  std::string host;
  Rank first_rank{};
  MemberIndex first_agent{};
  Shape shape;
  DeviceSharing devices = DeviceSharing::kInherited;
  std::vector<std::string> gpus;

  bool operator==(const NodePlan&) const = default;
};

struct JobPlan {
  std::uint32_t world_size = 0;
  std::vector<NodePlan> nodes;
  std::vector<WorkerPlan> workers;  // in the order of ranks

  const NodePlan& node_of(const WorkerPlan& worker) const { return nodes[worker.group]; }
  // The workers of one agent; empty for an agent that the plan does not know.
  std::span<const WorkerPlan> workers_of(MemberIndex agent) const;

  bool operator==(const JobPlan&) const = default;
};

// `agents` in the order of MemberIndex: by node, then local task, tasks counted from 0 on each
// node; at least one. Errors: see decide_shape, with the host; tasks of a node that were told
// different numbers of workers; kProtocol for agents out of order.
Result<JobPlan> plan_job(std::span<const AgentPlace> agents, const SlotWish& slots);

// The agents of a step as one task guesses them before any met: all nodes are taken to be like its
// own. For --dry-run.
std::vector<AgentPlace> assume_agents(const slurm::Step& step, const AgentResources& own);

}  // namespace muster::plan
