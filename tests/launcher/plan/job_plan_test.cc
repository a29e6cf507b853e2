#include "launcher/plan/job_plan.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/launcher/plan/nodes.h"

namespace muster::plan {
namespace {

JobPlan plan(const std::vector<AgentPlace>& agents, const SlotWish& slots = {}) {
  const auto job = plan_job(agents, slots);
  EXPECT_TRUE(job.has_value()) << (job ? "" : job.error().message());
  return job.value_or(JobPlan{});
}

// "rank@node.agent.slot" of each worker.
std::string layout(const JobPlan& job) {
  std::string text;
  for (const WorkerPlan& worker : job.workers) {
    text += (text.empty() ? "" : " ") + std::to_string(value_of(worker.rank)) + "@" +
            std::to_string(value_of(worker.node)) + "." + std::to_string(value_of(worker.agent)) +
            "." + std::to_string(worker.slot);
  }
  return text;
}

TEST(JobPlan, RanksGoByNodeThenTaskThenSlot) {
  EXPECT_EQ(layout(plan(node_of(0, 2) + node_of(1, 2), wish_count(4))),
            "0@0.0.0 1@0.0.1 2@0.1.0 3@0.1.1 4@1.2.0 5@1.2.1 6@1.3.0 7@1.3.1");
}

TEST(JobPlan, BothHabitsOfTheFieldGiveTheSameRanks) {
  const JobPlan one_task = plan(node_of(0, 1) + node_of(1, 1), wish_count(8));
  const JobPlan eight_tasks = plan(node_of(0, 8) + node_of(1, 8), wish_count(8));
  ASSERT_EQ(one_task.world_size, 16u);
  ASSERT_EQ(eight_tasks.world_size, 16u);
  for (std::size_t rank = 0; rank < 16; ++rank) {
    EXPECT_EQ(one_task.workers[rank].local_rank, eight_tasks.workers[rank].local_rank);
    EXPECT_EQ(one_task.workers[rank].node, eight_tasks.workers[rank].node);
    EXPECT_EQ(one_task.workers[rank].device_rank, eight_tasks.workers[rank].device_rank);
  }
}

TEST(JobPlan, UnevenNodesWork) {
  const JobPlan job = plan(node_of(0, 3) + node_of(1, 1) + node_of(2, 2));
  EXPECT_EQ(layout(job), "0@0.0.0 1@0.1.0 2@0.2.0 3@1.3.0 4@2.4.0 5@2.5.0");
  EXPECT_EQ(job.nodes[2].first_rank, Rank{4});
  EXPECT_EQ(job.nodes[2].first_agent, MemberIndex{4});
}

TEST(JobPlan, NodesMayHaveDifferentNumbersOfGpus) {
  EXPECT_EQ(plan(node_of(0, 1, gpus(4)) + node_of(1, 1, gpus(2))).world_size, 6u);
}

std::vector<AgentPlace> told(std::vector<AgentPlace> agents, const SlotWish& wish) {
  for (AgentPlace& agent : agents) agent.told = wish;
  return agents;
}

// As under torchrun, where every node's agent gets a number of its own.
TEST(JobPlan, EachNodeHasAsManyWorkersAsItsOwnAgentWasTold) {
  const auto agents = told(node_of(0, 1), {SlotSource::kCount, 1}) +
                      told(node_of(1, 2), {SlotSource::kCount, 4}) + told(node_of(2, 1), {});
  EXPECT_EQ(layout(plan(agents, wish_count(7))), "0@0.0.0 1@1.1.0 2@1.1.1 3@1.2.0 4@1.2.1 5@2.3.0");
}

TEST(JobPlan, RefusesTasksOfANodeThatWereToldDifferentNumbers) {
  auto agents = told(node_of(0, 2), {SlotSource::kCount, 2});
  agents[1].told = SlotWish{};
  const auto job = plan_job(agents, {});
  ASSERT_FALSE(job.has_value());
  EXPECT_EQ(job.error().message(),
            "n0: task 1 was given no --nproc-per-node, task 0 --nproc-per-node=2; the flag counts "
            "the workers of the whole node: give all tasks of a node the same");
}

TEST(JobPlan, CountsGroupsWithoutGaps) {
  const JobPlan job = plan(node_of(1, 1) + node_of(5, 1));
  EXPECT_EQ(job.workers[1].group, 1u);
  EXPECT_EQ(job.workers[1].node, NodeIndex{5});
  EXPECT_EQ(job.node_of(job.workers[1]).host, "n5");
}

TEST(JobPlan, GivesTheWorkersOfAnAgent) {
  const JobPlan job = plan(node_of(0, 2) + node_of(1, 2), wish_count(4));
  const auto workers = job.workers_of(MemberIndex{2});
  ASSERT_EQ(workers.size(), 2u);
  EXPECT_EQ(workers[0].rank, Rank{4});
  EXPECT_TRUE(job.workers_of(MemberIndex{9}).empty());
}

TEST(JobPlan, RefusesAgentsOutOfOrder) {
  for (const auto& agents :
       {node_of(1, 1) + node_of(0, 1), node_of(0, 1) + node_of(0, 1),
        std::vector<AgentPlace>(1, node_of(0, 2)[1]), std::vector<AgentPlace>()}) {
    const auto job = plan_job(agents, {});
    ASSERT_FALSE(job.has_value());
    EXPECT_EQ(job.error().code(), ErrorCode::kProtocol);
  }
}

TEST(Devices, AreInheritedWhenAllTasksSeeAll) {
  for (const JobPlan& job : {plan(node_of(0, 8, gpus(8))), plan(node_of(0, 1, gpus(8)))}) {
    EXPECT_EQ(job.nodes[0].devices, DeviceSharing::kInherited);
    EXPECT_EQ(job.workers[5].device_rank, 5u);
    EXPECT_EQ(job.workers[5].visible_devices, std::nullopt);
  }
}

TEST(Devices, OfTasksWithOneGpuEachAreJoinedOnAnOpenNode) {
  const JobPlan job = plan(node_of_own(0, 3, 1, true));
  EXPECT_EQ(job.nodes[0].devices, DeviceSharing::kJoined);
  EXPECT_EQ(job.workers[2].visible_devices, "gpu0,gpu1,gpu2");
  EXPECT_EQ(job.workers[2].device_rank, 2u);
}

TEST(Devices, StayTheTasksOwnBehindCgroups) {
  const JobPlan job = plan(node_of_own(0, 2, 2, false), wish_count(4));
  EXPECT_EQ(job.nodes[0].devices, DeviceSharing::kOwn);
  EXPECT_EQ(job.workers[3].visible_devices, std::nullopt);
  EXPECT_EQ(job.workers[3].local_rank, LocalRank{3});
  EXPECT_EQ(job.workers[3].device_rank, 1u);
}

TEST(Devices, StayTheTasksOwnWhenAWorkerHasSeveral) {
  const JobPlan job = plan(node_of_own(0, 2, 4, true));
  EXPECT_EQ(job.nodes[0].devices, DeviceSharing::kOwn);
  EXPECT_EQ(job.workers[1].device_rank, 0u);
}

TEST(Devices, AreLeftAloneWhenOneTaskDoesNotKnowThem) {
  auto agents = node_of_own(0, 3, 1, true);
  agents[1].resources.gpus.clear();
  EXPECT_EQ(plan(agents).nodes[0].devices, DeviceSharing::kInherited);
}

slurm::Step step_of(std::vector<std::string> hosts, std::vector<std::uint32_t> tasks) {
  slurm::Step step;
  step.hosts = std::move(hosts);
  step.tasks_per_node = std::move(tasks);
  return step;
}

TEST(AssumedAgents, TakeAllNodesForTheirOwn) {
  const auto agents =
      assume_agents(step_of({"a", "b"}, {1, 1}), {.gpus = gpus(8), .reachable_gpus = gpus(8)});
  const JobPlan job = plan(agents);
  EXPECT_EQ(job.world_size, 16u);
  EXPECT_EQ(job.nodes[1].host, "b");
}

TEST(AssumedAgents, GiveEachTaskItsOwnGpuWhenThereAreFewerThanTasks) {
  const auto agents =
      assume_agents(step_of({"a"}, {8}), {.gpus = gpus(1), .reachable_gpus = gpus(1)});
  const auto job = plan_job(agents, {SlotSource::kGpus, 0});
  ASSERT_TRUE(job.has_value()) << job.error().message();
  EXPECT_EQ(job->world_size, 8u);
}

// Whatever the shape: ranks are dense, agents own slots in order, local ranks count from 0.
TEST(JobPlan, KeepsItsPromisesForAnyShape) {
  constexpr unsigned kSeed = 23;
  std::mt19937 random(kSeed);
  for (int round = 0; round < 200; ++round) {
    std::vector<AgentPlace> agents;
    const auto slots = static_cast<std::uint32_t>(8 * (1 + random() % 2));
    const auto nodes = static_cast<std::uint32_t>(1 + random() % 6);
    for (std::uint32_t node = 0; node < nodes; ++node) {
      agents = agents + node_of(node, 1u << (random() % 4));
    }
    const JobPlan job = plan(agents, wish_count(slots));
    ASSERT_EQ(job.world_size, slots * nodes) << "seed " << kSeed;
    for (std::uint32_t rank = 0; rank < job.world_size; ++rank) {
      const WorkerPlan& worker = job.workers[rank];
      EXPECT_EQ(value_of(worker.rank), rank);
      EXPECT_EQ(value_of(worker.local_rank), rank % slots);
      EXPECT_EQ(worker.group, rank / slots);
      const std::uint32_t agent = value_of(worker.agent);
      EXPECT_EQ(agents[agent].node, worker.node);
      EXPECT_EQ(value_of(agents[agent].task) * job.nodes[worker.group].shape.slots_per_agent +
                    worker.slot,
                rank % slots);
    }
  }
}

}  // namespace
}  // namespace muster::plan
