// parse_step on environments that a real Slurm made.

#include <gtest/gtest.h>

#include <set>

#include "slurm/step.h"
#include "tests/slurm/fixtures.h"

namespace muster::slurm {
namespace {

using Names = std::vector<std::string>;
using Counts = std::vector<std::uint32_t>;

struct Shape {
  std::string_view fixture;
  Names hosts;
  Counts tasks_per_node;
};

const Names kFour = {"node1", "node2", "node3", "node4"};

const std::vector<Shape>& shapes() {
  static const std::vector<Shape> kShapes = {
      {"block_4x8", kFour, {8, 8, 8, 8}},
      {"one_per_node", kFour, {1, 1, 1, 1}},
      {"ignored_ntasks_per_node", kFour, {8, 8, 8, 8}},
      {"one_per_node_in_batch", kFour, {1, 1, 1, 1}},
      {"gpus_per_task", {"node1", "node2"}, {2, 2}},
      {"cyclic", kFour, {4, 4, 4, 4}},
      {"arbitrary", {"node1", "node2", "node3"}, {1, 1, 2}},
      {"heterogeneous", {"node1", "node2", "node3"}, {2, 3, 1}},
      {"part_named", {"node2", "node4"}, {2, 2}},
      {"part_relative", {"node3", "node4"}, {1, 1}},
      {"uneven", kFour, {7, 1, 1, 1}},
      {"array", {"node1", "node2"}, {1, 1}},
      {"requeued", {"node1", "node2"}, {1, 1}},
      {"pmi2", {"node1", "node2"}, {2, 2}},
  };
  return kShapes;
}

TEST(StepFixtures, EveryTaskOfEveryShapeKnowsTheLayoutAndItsPlace) {
  for (const Shape& shape : shapes()) {
    std::set<std::pair<NodeIndex, LocalTask>> places;
    for (const auto& [number, environment] : load_fixture(shape.fixture)) {
      const auto step = parse_step(environment);
      ASSERT_TRUE(step.has_value()) << shape.fixture << ": " << step.error().message();
      EXPECT_EQ(step->hosts, shape.hosts) << shape.fixture;
      EXPECT_EQ(step->tasks_per_node, shape.tasks_per_node) << shape.fixture;
      EXPECT_EQ(step->proc_id, number) << shape.fixture;
      EXPECT_EQ(step->host(), environment.get("SLURMD_NODENAME")) << shape.fixture;
      EXPECT_FALSE(step->reserved_ports.empty()) << shape.fixture;
      places.emplace(step->node, step->local_task);
    }
    const auto tasks = load_fixture(shape.fixture);
    EXPECT_EQ(places.size(), tasks.size()) << shape.fixture << ": two tasks in one place";
    EXPECT_EQ(parse_step(tasks.begin()->second)->total_tasks(), tasks.size()) << shape.fixture;
  }
}

TEST(StepFixtures, TaskZeroOfAnArbitraryStepIsNotOnTheFirstNode) {
  EXPECT_EQ(parse_step(load_fixture("arbitrary").at(0))->node, NodeIndex{2});
}

TEST(StepFixtures, NeighboursOfACyclicStepStandOnOtherNodes) {
  const auto tasks = load_fixture("cyclic");
  EXPECT_EQ(parse_step(tasks.at(5))->node, NodeIndex{1});
  EXPECT_EQ(parse_step(tasks.at(5))->local_task, LocalTask{1});
}

TEST(StepFixtures, ARequeuedJobTellsItsRestart) {
  EXPECT_EQ(parse_step(load_fixture("requeued").at(0))->restart_count, 1u);
  EXPECT_EQ(parse_step(load_fixture("array").at(0))->restart_count, 0u);
}

std::string refusal(std::string_view fixture) {
  const auto tasks = load_fixture(fixture);
  const auto step = parse_step(tasks.at(0));
  EXPECT_FALSE(step.has_value()) << fixture;
  EXPECT_TRUE(is_slurm_job(tasks.at(0))) << fixture;
  return step ? "" : step.error().message();
}

TEST(StepFixtures, ShellsWithoutSrunAreRefusedWithTheLineToWrite) {
  EXPECT_NE(refusal("batch_script").find("the batch script of job"), std::string::npos);
  EXPECT_NE(refusal("salloc_shell").find("an interactive shell (salloc) of job"),
            std::string::npos);
  EXPECT_NE(refusal("salloc_command").find("a shell (salloc) of job"), std::string::npos);
  for (const std::string_view fixture : {"batch_script", "salloc_shell", "salloc_command"}) {
    EXPECT_NE(refusal(fixture).find("which has 4 nodes"), std::string::npos) << fixture;
    EXPECT_NE(refusal(fixture).find("`srun muster PROGRAM`"), std::string::npos) << fixture;
    EXPECT_EQ(refusal(fixture).find("--standalone"), std::string::npos) << fixture;
  }
}

TEST(StepFixtures, ABatchScriptOfOneNodeMayGoOnAlone) {
  EXPECT_NE(refusal("batch_script_one_node").find("muster --standalone"), std::string::npos);
}

}  // namespace
}  // namespace muster::slurm
