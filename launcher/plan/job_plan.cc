#include "launcher/plan/job_plan.h"

#include <algorithm>

namespace muster::plan {

namespace {

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += (text.empty() ? "" : ",") + word;
  return text;
}

Status check_order(std::span<const AgentPlace> agents) {
  for (std::size_t place = 0; place < agents.size(); ++place) {
    const AgentPlace& agent = agents[place];
    const bool same_node = place > 0 && agents[place - 1].node == agent.node;
    const bool later_node = place == 0 || agents[place - 1].node < agent.node;
    const std::uint32_t expected = same_node ? value_of(agents[place - 1].task) + 1 : 0;
    if ((!same_node && !later_node) || value_of(agent.task) != expected) {
      return failure(ErrorCode::kProtocol,
                     "agent " + std::to_string(place) + " is task " +
                         std::to_string(value_of(agent.task)) + " of node " +
                         std::to_string(value_of(agent.node)) +
                         ": expected the agents by node, then by task from 0");
    }
  }
  return {};
}

bool reaches_all(const AgentPlace& agent, const std::vector<std::string>& gpus) {
  const auto& reachable = agent.resources.reachable_gpus;
  return std::all_of(gpus.begin(), gpus.end(), [&reachable](const std::string& gpu) {
    return std::find(reachable.begin(), reachable.end(), gpu) != reachable.end();
  });
}

bool see_the_same(std::span<const AgentPlace> agents) {
  return std::all_of(agents.begin(), agents.end(), [agents](const AgentPlace& agent) {
    return agent.resources.gpus == agents[0].resources.gpus;
  });
}

DeviceSharing decide_sharing(std::span<const AgentPlace> agents, const Shape& shape,
                             const std::vector<std::string>& gpus) {
  if (see_the_same(agents) || gpus.size() < shape.slots()) return DeviceSharing::kInherited;
  bool open = true;
  for (const AgentPlace& agent : agents) {
    const std::size_t seen = agent.resources.gpus.size();
    if (seen == 0) return DeviceSharing::kInherited;  // unknown on one agent: change nothing
    open &= seen == shape.slots_per_agent && reaches_all(agent, gpus);
  }
  return open ? DeviceSharing::kJoined : DeviceSharing::kOwn;
}

// The flag counts per node, so the tasks of one node must have been told the same.
Result<SlotWish> slot_wish_of(std::span<const AgentPlace> agents, const SlotWish& common) {
  const SlotWish wish = agents[0].told.value_or(common);
  for (const AgentPlace& agent : agents) {
    const SlotWish other = agent.told.value_or(common);
    if (other == wish) continue;
    return failure(ErrorCode::kInvalidArgument,
                   agent.host + ": task " + std::to_string(value_of(agent.task)) + " was given " +
                       to_string(other) + ", task 0 " + to_string(wish) +
                       "; the flag counts the workers of the whole node: give all tasks of a node "
                       "the same");
  }
  return wish;
}

Result<NodePlan> plan_node(std::span<const AgentPlace> agents, const SlotWish& slots,
                           std::size_t nodes) {
  MUSTER_TRY(wish, slot_wish_of(agents, slots));
  MUSTER_TRY(shape, decide_shape(agents, wish, nodes));
  NodePlan node;
  node.node = agents[0].node;
  node.host = agents[0].host;
  node.shape = shape;
  node.gpus = gpus_of_node(agents);
  node.devices = decide_sharing(agents, shape, node.gpus);
  return node;
}

void assign_device(const NodePlan& node, WorkerPlan& worker) {
  worker.device_rank = value_of(worker.local_rank);
  switch (node.devices) {
    case DeviceSharing::kInherited:
      return;
    case DeviceSharing::kJoined:
      worker.visible_devices = join(node.gpus);
      return;
    case DeviceSharing::kOwn:
      worker.device_rank = worker.slot;
      return;
  }
}

void add_workers(JobPlan& plan, std::uint32_t first_agent) {
  NodePlan& node = plan.nodes.back();
  node.first_rank = Rank{plan.world_size};
  node.first_agent = MemberIndex{first_agent};
  for (std::uint32_t local_rank = 0; local_rank < node.shape.slots(); ++local_rank) {
    const std::uint32_t task = local_rank / node.shape.slots_per_agent;
    WorkerPlan worker;
    worker.rank = Rank{plan.world_size++};
    worker.local_rank = LocalRank{local_rank};
    worker.node = node.node;
    worker.group = static_cast<std::uint32_t>(plan.nodes.size() - 1);
    worker.agent = MemberIndex{first_agent + task};
    worker.slot = local_rank % node.shape.slots_per_agent;
    assign_device(node, worker);
    plan.workers.push_back(std::move(worker));
  }
}

}  // namespace

std::string_view to_string(DeviceSharing sharing) {
  switch (sharing) {
    case DeviceSharing::kInherited:
      return "inherited";
    case DeviceSharing::kJoined:
      return "joined from all tasks";
    case DeviceSharing::kOwn:
      return "each task's own";
  }
  return "unknown";
}

std::span<const WorkerPlan> JobPlan::workers_of(MemberIndex agent) const {
  const auto first =
      std::find_if(workers.begin(), workers.end(),
                   [agent](const WorkerPlan& worker) { return worker.agent == agent; });
  const auto last = std::find_if(
      first, workers.end(), [agent](const WorkerPlan& worker) { return worker.agent != agent; });
  return {first, last};
}

Result<JobPlan> plan_job(std::span<const AgentPlace> agents, const SlotWish& slots) {
  if (agents.empty()) return failure(ErrorCode::kProtocol, "expected at least one agent");
  MUSTER_RETURN_IF_ERROR(check_order(agents));
  std::size_t nodes = 0;
  for (const AgentPlace& agent : agents) nodes += agent.task == LocalTask{0} ? 1 : 0;
  JobPlan plan;
  for (std::size_t begin = 0; begin < agents.size();) {
    std::size_t end = begin;
    while (end < agents.size() && agents[end].node == agents[begin].node) ++end;
    const auto of_node = agents.subspan(begin, end - begin);
    MUSTER_TRY(node, plan_node(of_node, slots, nodes));
    plan.nodes.push_back(std::move(node));
    add_workers(plan, static_cast<std::uint32_t>(begin));
    begin = end;
  }
  return plan;
}

std::vector<AgentPlace> assume_agents(const slurm::Step& step, const AgentResources& own) {
  std::vector<AgentPlace> agents;
  for (std::uint32_t node = 0; node < step.hosts.size(); ++node) {
    const std::uint32_t tasks = step.tasks_per_node[node];
    for (std::uint32_t task = 0; task < tasks; ++task) {
      AgentPlace agent{NodeIndex{node}, LocalTask{task}, step.hosts[node], own};
      // Fewer GPUs than tasks can only mean that each task was given its own.
      if (own.gpus.size() < tasks) {
        for (std::string& gpu : agent.resources.gpus) {
          gpu = "task " + std::to_string(task) + "'s " + gpu;
        }
      }
      agents.push_back(std::move(agent));
    }
  }
  return agents;
}

}  // namespace muster::plan
