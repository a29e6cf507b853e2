#include "slurm/worker_identity.h"

#include <gtest/gtest.h>

#include <vector>

namespace muster::slurm {
namespace {

// One agent on each of two nodes; the second node's third worker of eight.
Environment told(const Environment& agent) {
  const std::vector<std::uint32_t> workers_per_node = {8, 8};
  Environment environment = agent;
  tell_worker_identity(
      environment, {.rank = 10, .local_rank = 2, .node = 1, .workers_per_node = workers_per_node});
  return environment;
}

TEST(WorkerIdentity, MakesTheTaskVariablesTrueOfTheWorker) {
  const Environment agent = {{"SLURM_PROCID", "1"},
                             {"SLURM_LOCALID", "0"},
                             {"SLURM_NODEID", "1"},
                             {"SLURM_GTIDS", "1"},
                             {"SLURM_NTASKS", "2"},
                             {"SLURM_NPROCS", "2"},
                             {"SLURM_NNODES", "2"},
                             {"SLURM_STEP_NUM_NODES", "2"},
                             {"SLURM_STEP_NUM_TASKS", "2"},
                             {"SLURM_NTASKS_PER_NODE", "1"},
                             {"SLURM_TASKS_PER_NODE", "1(x2)"},
                             {"SLURM_STEP_TASKS_PER_NODE", "1(x2)"}};
  const Environment expected = {{"SLURM_PROCID", "10"},
                                {"SLURM_LOCALID", "2"},
                                {"SLURM_NODEID", "1"},
                                {"SLURM_GTIDS", "8,9,10,11,12,13,14,15"},
                                {"SLURM_NTASKS", "16"},
                                {"SLURM_NPROCS", "16"},
                                {"SLURM_NNODES", "2"},
                                {"SLURM_STEP_NUM_NODES", "2"},
                                {"SLURM_STEP_NUM_TASKS", "16"},
                                {"SLURM_NTASKS_PER_NODE", "8"},
                                {"SLURM_TASKS_PER_NODE", "8(x2)"},
                                {"SLURM_STEP_TASKS_PER_NODE", "8(x2)"}};
  EXPECT_EQ(told(agent), expected);
}

TEST(WorkerIdentity, InventsNothing) {
  const Environment plain = {{"PATH", "/bin"}, {"HOME", "/root"}};
  EXPECT_EQ(told(plain), plain);
}

TEST(WorkerIdentity, KeepsWhatIsTrueOfTheJob) {
  const Environment job = {{"SLURM_JOB_ID", "42"},           {"SLURM_STEP_ID", "0"},
                           {"SLURM_JOB_NODELIST", "n[1-2]"}, {"SLURM_STEP_NODELIST", "n[1-2]"},
                           {"SLURM_RESTART_COUNT", "1"},     {"SLURMD_NODENAME", "n2"},
                           {"SLURM_GPUS_ON_NODE", "8"}};
  EXPECT_EQ(told(job), job);
}

TEST(WorkerIdentity, RemovesTheProcessManagersOfMpi) {
  EXPECT_EQ(told({{"PMI_FD", "11"},
                  {"PMI_RANK", "1"},
                  {"PMI2_X", "1"},
                  {"PMIX_RANK", "1"},
                  {"PMIX_SERVER_URI41", "x"},
                  {"SLURM_PMIX_MAPPING_SERV", "x"},
                  {"SLURM_PMIXP_ABORT_AGENT_PORT", "1"},
                  {"SLURM_TASK_PID", "99"},
                  {"SLURM_STEP_RESV_PORTS", "20000-20003"}}),
            Environment());
}

TEST(WorkerIdentity, KeepsTheUsersSettingsOfMpi) {
  const Environment settings = {{"PMIX_MCA_gds", "hash"}, {"OMPI_MCA_btl", "tcp"}, {"PMI", "x"}};
  EXPECT_EQ(told(settings), settings);
}

}  // namespace
}  // namespace muster::slurm
