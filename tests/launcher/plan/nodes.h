// Agents for the tests of the plan, in the order of a roster.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "launcher/plan/job_plan.h"

namespace muster::plan {

// "gpu0", "gpu1" ... of `count`, from `first`.
inline std::vector<std::string> gpus(std::uint32_t count, std::uint32_t first = 0) {
  std::vector<std::string> names;
  for (std::uint32_t place = 0; place < count; ++place) {
    names.push_back("gpu" + std::to_string(first + place));
  }
  return names;
}

// `tasks` agents on one node, which all see `seen`.
inline std::vector<AgentPlace> node_of(std::uint32_t node, std::uint32_t tasks,
                                       const std::vector<std::string>& seen = {}) {
  std::vector<AgentPlace> agents;
  for (std::uint32_t task = 0; task < tasks; ++task) {
    AgentPlace agent;
    agent.node = NodeIndex{node};
    agent.task = LocalTask{task};
    agent.host = "n" + std::to_string(node);
    agent.resources = {.cores = 96, .bound_by_slurm = false, .gpus = seen, .reachable_gpus = seen};
    agents.push_back(agent);
  }
  return agents;
}

// `tasks` agents that see `each` GPUs of their own; `open`: they could open the others', too.
inline std::vector<AgentPlace> node_of_own(std::uint32_t node, std::uint32_t tasks,
                                           std::uint32_t each, bool open) {
  std::vector<AgentPlace> agents = node_of(node, tasks);
  for (std::uint32_t task = 0; task < tasks; ++task) {
    agents[task].resources.gpus = gpus(each, task * each);
    agents[task].resources.reachable_gpus = open ? gpus(tasks * each) : agents[task].resources.gpus;
  }
  return agents;
}

inline std::vector<AgentPlace> operator+(std::vector<AgentPlace> left,
                                         const std::vector<AgentPlace>& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

inline SlotWish wish_count(std::uint32_t count) {
  return {SlotSource::kCount, count};
}

}  // namespace muster::plan
