#include "launcher/plan/worker_environment.h"

#include <gtest/gtest.h>

#include "tests/launcher/plan/nodes.h"

namespace muster::plan {
namespace {

AttemptFacts facts() {
  AttemptFacts attempt;
  attempt.run_id = "42.0.0";
  attempt.attempt = Attempt{2};
  attempt.max_restarts = 3;
  attempt.master_address = "10.0.0.1";
  attempt.master_port = 29501;
  attempt.marker = "42.0.0 agent 1 attempt 2 ab";
  return attempt;
}

Environment environment_of(const std::vector<AgentPlace>& agents, const SlotWish& slots,
                           std::size_t rank, const Environment& agent = {},
                           const AttemptFacts& attempt = facts()) {
  const auto job = plan_job(agents, slots);
  EXPECT_TRUE(job.has_value()) << (job ? "" : job.error().message());
  return make_worker_environment(agent, *job, job->workers[rank], attempt, "/tmp/e/5.json");
}

TEST(WorkerEnvironment, IsTorchrunsComplete) {
  const Environment expected = {{"RANK", "5"},
                                {"LOCAL_RANK", "1"},
                                {"WORLD_SIZE", "8"},
                                {"LOCAL_WORLD_SIZE", "4"},
                                {"GROUP_RANK", "1"},
                                {"GROUP_WORLD_SIZE", "2"},
                                {"ROLE_RANK", "5"},
                                {"ROLE_WORLD_SIZE", "8"},
                                {"ROLE_NAME", "default"},
                                {"MASTER_ADDR", "10.0.0.1"},
                                {"MASTER_PORT", "29501"},
                                {"TORCHELASTIC_RUN_ID", "42.0.0"},
                                {"TORCHELASTIC_RESTART_COUNT", "2"},
                                {"TORCHELASTIC_MAX_RESTARTS", "3"},
                                {"TORCHELASTIC_USE_AGENT_STORE", "False"},
                                {"TORCHELASTIC_ERROR_FILE", "/tmp/e/5.json"},
                                {"TORCH_NCCL_ASYNC_ERROR_HANDLING", "1"},
                                {"OMP_NUM_THREADS", "1"},
                                {"MUSTER_LOCAL_RANK", "1"},
                                {"MUSTER_MARKER", "42.0.0 agent 1 attempt 2 ab"}};
  EXPECT_EQ(environment_of(node_of(0, 1) + node_of(1, 1), wish_count(4), 5), expected);
}

TEST(WorkerEnvironment, OverwritesStaleRanks) {
  const Environment worker = environment_of(
      node_of(0, 1), wish_count(4), 3, {{"RANK", "0"}, {"WORLD_SIZE", "1"}, {"MASTER_PORT", "1"}});
  EXPECT_EQ(worker.get("RANK"), "3");
  EXPECT_EQ(worker.get("WORLD_SIZE"), "4");
  EXPECT_EQ(worker.get("MASTER_PORT"), "29501");
}

TEST(WorkerEnvironment, KeepsWhatTheUserChose) {
  const Environment user = {{"TORCH_NCCL_ASYNC_ERROR_HANDLING", "3"},
                            {"OMP_NUM_THREADS", "12"},
                            {"PYTHONUNBUFFERED", "0"},
                            {"NCCL_DEBUG", "INFO"},
                            {"SLURM_JOB_ID", "42"}};
  const Environment worker = environment_of(node_of(0, 1), wish_count(4), 0, user);
  for (const auto& [name, value] : user.variables()) EXPECT_EQ(worker.get(name), value) << name;
}

TEST(WorkerEnvironment, LeavesThreadsToALoneWorker) {
  EXPECT_FALSE(environment_of(node_of(0, 1), wish_count(1), 0).has("OMP_NUM_THREADS"));
}

TEST(WorkerEnvironment, NamesTheAgentsStoreAsPyTorchReadsIt) {
  AttemptFacts attempt = facts();
  attempt.store = StoreMode::kAgent;
  EXPECT_EQ(environment_of(node_of(0, 1), {}, 0, {}, attempt).get("TORCHELASTIC_USE_AGENT_STORE"),
            "True");
}

TEST(WorkerEnvironment, ShowsNoSecretAndNoProcessManager) {
  const Environment worker = environment_of(node_of(0, 1), wish_count(4), 0,
                                            {{"MUSTER_TOKEN", "secret"}, {"PMIX_RANK", "0"}});
  EXPECT_FALSE(worker.has("MUSTER_TOKEN"));
  EXPECT_FALSE(worker.has("PMIX_RANK"));
}

TEST(WorkerEnvironment, MakesSlurmsRankTheWorkers) {
  const Environment agent = {{"SLURM_PROCID", "1"}, {"SLURM_NTASKS", "2"}, {"SLURM_LOCALID", "0"}};
  const Environment worker = environment_of(node_of(0, 1) + node_of(1, 1), wish_count(4), 6, agent);
  EXPECT_EQ(worker.get("SLURM_PROCID"), worker.get("RANK"));
  EXPECT_EQ(worker.get("SLURM_NTASKS"), worker.get("WORLD_SIZE"));
  EXPECT_EQ(worker.get("SLURM_LOCALID"), "2");
}

TEST(WorkerEnvironment, InheritsDevicesWhenLocalRankPicksThem) {
  const Environment worker =
      environment_of(node_of(0, 8, gpus(8)), {}, 5, {{"CUDA_VISIBLE_DEVICES", "0,1,2,3,4,5,6,7"}});
  EXPECT_EQ(worker.get("CUDA_VISIBLE_DEVICES"), "0,1,2,3,4,5,6,7");
  EXPECT_EQ(worker.get("LOCAL_RANK"), "5");
}

TEST(WorkerEnvironment, TakesAStaleErrorFileAway) {
  const auto job = plan_job(node_of(0, 1), {});
  const Environment worker = make_worker_environment({{"TORCHELASTIC_ERROR_FILE", "/old"}}, *job,
                                                     job->workers[0], facts(), "");
  EXPECT_FALSE(worker.has("TORCHELASTIC_ERROR_FILE"));
}

TEST(Marker, IsTheAgentsAndTheAttempts) {
  EXPECT_EQ(marker_of("42.0.0", MemberIndex{3}, Attempt{1}, "5f3a"),
            "42.0.0 agent 3 attempt 1 5f3a");
}

TEST(RunId, TellsRequeuedJobsApart) {
  slurm::Step step;
  step.job = 42;
  step.restart_count = 1;
  EXPECT_EQ(default_run_id(step), "42.0.1");
}

}  // namespace
}  // namespace muster::plan
