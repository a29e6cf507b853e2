#include "launcher/plan/shape.h"

#include <gtest/gtest.h>

#include "tests/launcher/plan/nodes.h"

namespace muster::plan {
namespace {

constexpr SlotWish kDefault;
constexpr SlotWish kGpu{SlotSource::kGpus, 0};
constexpr SlotWish kCpu{SlotSource::kCores, 0};
constexpr SlotWish kAuto{SlotSource::kAuto, 0};

SlotWish count(std::uint32_t slots) {
  return {SlotSource::kCount, slots};
}

Shape decide(const std::vector<AgentPlace>& agents, const SlotWish& wish) {
  const auto shape = decide_shape(agents, wish, 4);
  EXPECT_TRUE(shape.has_value()) << (shape ? "" : shape.error().message());
  return shape.value_or(Shape{0, 0});
}

void expect_refusal(const std::vector<AgentPlace>& agents, const SlotWish& wish,
                    std::string_view part) {
  const auto shape = decide_shape(agents, wish, 4);
  ASSERT_FALSE(shape.has_value());
  EXPECT_NE(shape.error().message().find(part), std::string::npos) << shape.error().message();
}

TEST(Shape, OneTaskTakesAllSlotsOfItsNode) {
  EXPECT_EQ(decide(node_of(0, 1, gpus(8)), kDefault), (Shape{1, 8}));
  EXPECT_EQ(decide(node_of(0, 1, gpus(8)), count(8)), (Shape{1, 8}));
  EXPECT_EQ(decide(node_of(0, 1, gpus(8)), count(4)), (Shape{1, 4}));
}

TEST(Shape, OneTaskWithoutGpusIsOneWorker) {
  EXPECT_EQ(decide(node_of(0, 1), kDefault), (Shape{1, 1}));
}

TEST(Shape, EightTasksAreEightWorkersNeverEightTimesEight) {
  EXPECT_EQ(decide(node_of(0, 8, gpus(8)), kDefault), (Shape{8, 1}));
  EXPECT_EQ(decide(node_of(0, 8, gpus(8)), count(8)), (Shape{8, 1}));
  EXPECT_EQ(decide(node_of(0, 8, gpus(8)), kGpu), (Shape{8, 1}));
  EXPECT_EQ(decide(node_of(0, 8, gpus(8)), kAuto), (Shape{8, 1}));
}

TEST(Shape, CountsGpusOverAllTasksOfTheNode) {
  EXPECT_EQ(decide(node_of_own(0, 8, 1, false), kGpu), (Shape{8, 1}));
  EXPECT_EQ(decide(node_of_own(0, 2, 4, true), kGpu), (Shape{2, 4}));
}

TEST(Shape, FewerTasksThanSlotsShareThemOut) {
  EXPECT_EQ(decide(node_of(0, 2, gpus(8)), count(8)), (Shape{2, 4}));
  EXPECT_EQ(decide(node_of(0, 4, gpus(8)), kGpu), (Shape{4, 2}));
}

TEST(Shape, TasksThatDoNotDivideAreRefusedWithBothLines) {
  expect_refusal(node_of(0, 3, gpus(8)), count(8),
                 "n0 has 3 tasks and 8 slots, and 3 does not divide 8: write `srun --nodes=4 "
                 "--ntasks=4 muster --nproc-per-node=8 ...` for one muster a node, or "
                 "leave --nproc-per-node out for one worker a task");
  expect_refusal(node_of(0, 8, gpus(8)), count(1), "8 does not divide 1");
  expect_refusal(node_of(0, 8, gpus(8)), count(12), "8 does not divide 12");
}

TEST(Shape, HoldsItsLimit) {
  EXPECT_EQ(decide(node_of(0, 1), count(kMaxSlotsPerNode)), (Shape{1, kMaxSlotsPerNode}));
  expect_refusal(node_of(0, 1), count(kMaxSlotsPerNode + 1),
                 "n0 would get 1025 workers; expected at most 1024");
}

TEST(Shape, GpuWithoutGpusIsAnError) {
  expect_refusal(node_of(0, 1), kGpu, "no GPU is visible on n0");
}

TEST(Shape, AutoWithoutGpusTakesCoresAsTorchrunDoes) {
  EXPECT_EQ(decide(node_of(0, 1), kAuto), (Shape{1, 96}));
  EXPECT_EQ(decide(node_of(0, 1), kCpu), (Shape{1, 96}));
}

std::vector<AgentPlace> bound_to(std::vector<AgentPlace> agents, std::uint32_t cores, bool bound) {
  for (AgentPlace& agent : agents) {
    agent.resources.cores = cores;
    agent.resources.bound_by_slurm = bound;
  }
  return agents;
}

TEST(Shape, ATaskBoundToFewerCoresThanWorkersNamesTheOption) {
  expect_refusal(bound_to(node_of(0, 1, gpus(8)), 1, true), kDefault,
                 "task 0 of n0 has 8 workers, but Slurm bound it to 1 core: write `srun -c N` "
                 "(--cpus-per-task) with N at least 8");
  expect_refusal(bound_to(node_of(0, 2, gpus(8)), 3, true), count(8), "bound it to 3 cores");
}

TEST(Shape, OneWorkerOnOneCoreMayRun) {
  EXPECT_EQ(decide(bound_to(node_of(0, 8, gpus(8)), 1, true), kDefault), (Shape{8, 1}));
}

TEST(Shape, ASmallMachineIsNoMistake) {
  EXPECT_EQ(decide(bound_to(node_of(0, 1), 2, false), count(8)), (Shape{1, 8}));
}

TEST(Shape, AGpuSeenTwiceIsRefused) {
  expect_refusal(node_of(0, 8, gpus(1)), kDefault,
                 "GPU gpu0 of n0 is seen by task 0 and by task 1, and each would put a worker on "
                 "it");
  auto agents = node_of_own(0, 4, 1, false);
  agents[3].resources.gpus = gpus(1, 1);
  expect_refusal(agents, kDefault, "GPU gpu1 of n0 is seen by task 1 and by task 3");
  expect_refusal(node_of(0, 2, gpus(4)), count(8), "--gpus-per-task=4");
}

TEST(Shape, TasksThatAllSeeAllGpusPickByLocalRank) {
  EXPECT_EQ(decide(node_of(0, 8, gpus(8)), kDefault), (Shape{8, 1}));
  EXPECT_EQ(decide(node_of(0, 2, gpus(8)), count(8)), (Shape{2, 4}));
}

TEST(Shape, SeveralWorkersOfOneTaskMayShareAGpu) {
  EXPECT_EQ(decide(node_of(0, 1, gpus(1)), count(8)), (Shape{1, 8}));
}

}  // namespace
}  // namespace muster::plan
