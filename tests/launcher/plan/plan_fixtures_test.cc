// The plan and the workers' environments for steps that a real Slurm made.

#include <gtest/gtest.h>

#include <algorithm>

#include "launcher/plan/worker_environment.h"
#include "slurm/step.h"
#include "tests/launcher/plan/nodes.h"
#include "tests/slurm/fixtures.h"

namespace muster::plan {
namespace {

struct CapturedAgent {
  AgentPlace place;
  Environment environment;
};

std::vector<CapturedAgent> agents_of(std::string_view fixture) {
  std::vector<CapturedAgent> agents;
  for (const auto& [number, environment] : slurm::load_fixture(fixture)) {
    const auto step = slurm::parse_step(environment);
    EXPECT_TRUE(step.has_value()) << fixture;
    agents.push_back({{step->node, step->local_task, step->host(), {}}, environment});
  }
  std::sort(agents.begin(), agents.end(),
            [](const CapturedAgent& left, const CapturedAgent& right) {
              return std::pair(left.place.node, left.place.task) <
                     std::pair(right.place.node, right.place.task);
            });
  return agents;
}

JobPlan plan_of(const std::vector<CapturedAgent>& agents, const SlotWish& slots) {
  std::vector<AgentPlace> places;
  for (const CapturedAgent& agent : agents) places.push_back(agent.place);
  const auto job = plan_job(places, slots);
  EXPECT_TRUE(job.has_value()) << (job ? "" : job.error().message());
  return job.value_or(JobPlan{});
}

// To a worker its environment looks as if Slurm had started it as a task: still one consistent
// step, in which its place is its rank's.
void expect_true_environments(std::string_view fixture, const SlotWish& slots,
                              std::uint32_t world_size) {
  const auto agents = agents_of(fixture);
  const JobPlan job = plan_of(agents, slots);
  ASSERT_EQ(job.world_size, world_size) << fixture;
  for (const WorkerPlan& worker : job.workers) {
    const Environment environment = make_worker_environment(
        agents[value_of(worker.agent)].environment, job, worker, AttemptFacts{}, "");
    const auto step = slurm::parse_step(environment);
    ASSERT_TRUE(step.has_value()) << fixture << ": " << step.error().message();
    EXPECT_EQ(step->total_tasks(), world_size) << fixture;
    EXPECT_EQ(step->proc_id, value_of(worker.rank)) << fixture;
    EXPECT_EQ(value_of(step->local_task), value_of(worker.local_rank)) << fixture;
    EXPECT_EQ(step->node, worker.node) << fixture;
    for (const auto& [name, value] : environment.variables()) {
      EXPECT_FALSE(name.starts_with("PMI")) << fixture << ": " << name;
    }
  }
}

TEST(PlanFixtures, EachTaskIsAWorkerUnlessMoreAreWished) {
  expect_true_environments("block_4x8", {}, 32);
  expect_true_environments("ignored_ntasks_per_node", {}, 32);
  expect_true_environments("cyclic", {}, 16);
  expect_true_environments("arbitrary", {}, 4);
  expect_true_environments("heterogeneous", {}, 6);
  expect_true_environments("part_named", {}, 4);
  expect_true_environments("part_relative", {}, 2);
  expect_true_environments("uneven", {}, 10);
  expect_true_environments("pmi2", {}, 4);
  expect_true_environments("requeued", {}, 2);
}

TEST(PlanFixtures, EightWorkersANodeInEitherHabit) {
  expect_true_environments("block_4x8", wish_count(8), 32);
  expect_true_environments("one_per_node", wish_count(8), 32);
  expect_true_environments("one_per_node_in_batch", wish_count(8), 32);
  expect_true_environments("gpus_per_task", wish_count(8), 16);
  expect_true_environments("cyclic", wish_count(8), 32);
}

TEST(PlanFixtures, UnevenTasksRefuseACountThatSomeNodeCannotShareOut) {
  std::vector<AgentPlace> places;
  for (const CapturedAgent& agent : agents_of("heterogeneous")) places.push_back(agent.place);
  const auto job = plan_job(places, wish_count(8));
  ASSERT_FALSE(job.has_value());
  EXPECT_NE(job.error().message().find("node2 has 3 tasks and 8 slots"), std::string::npos);
}

}  // namespace
}  // namespace muster::plan
