#include "slurm/step.h"

#include <gtest/gtest.h>

#include <random>

namespace muster::slurm {
namespace {

// Task 3 of a step on two nodes, two tasks each.
Environment task() {
  return {{"SLURM_JOB_ID", "4242"},
          {"SLURM_STEP_ID", "1"},
          {"SLURM_STEP_NODELIST", "n[1-2]"},
          {"SLURM_STEP_TASKS_PER_NODE", "2(x2)"},
          {"SLURM_STEP_NUM_NODES", "2"},
          {"SLURM_STEP_NUM_TASKS", "4"},
          {"SLURM_NODEID", "1"},
          {"SLURM_LOCALID", "1"},
          {"SLURM_PROCID", "3"},
          {"SLURMD_NODENAME", "n2"},
          {"SLURM_JOB_NAME", "train"},
          {"SLURM_STEP_RESV_PORTS", "20012-20014"}};
}

Environment with(std::string_view name, std::string_view value) {
  Environment environment = task();
  environment.set(name, value);
  return environment;
}

Environment without(std::string_view name) {
  Environment environment = task();
  environment.unset(name);
  return environment;
}

std::string refusal(const Environment& environment) {
  const auto step = parse_step(environment);
  EXPECT_FALSE(step.has_value());
  return step ? "" : step.error().message();
}

void expect_refusal(const Environment& environment, std::string_view part) {
  EXPECT_NE(refusal(environment).find(part), std::string::npos) << refusal(environment);
}

TEST(Step, ReadsAllFields) {
  Step expected;
  expected.job = 4242;
  expected.step = 1;
  expected.hosts = {"n1", "n2"};
  expected.tasks_per_node = {2, 2};
  expected.node = NodeIndex{1};
  expected.local_task = LocalTask{1};
  expected.proc_id = 3;
  expected.reserved_ports = {20012, 20013, 20014};
  expected.job_name = "train";
  EXPECT_EQ(*parse_step(task()), expected);
  EXPECT_EQ(expected.total_tasks(), 4u);
  EXPECT_EQ(expected.host(), "n2");
  EXPECT_EQ(expected.tasks_on_this_node(), 2u);
}

TEST(Step, ReadsTheRestartCount) {
  EXPECT_EQ(parse_step(with("SLURM_RESTART_COUNT", "2"))->restart_count, 2u);
}

TEST(Step, TakesMissingReservedPortsAsNone) {
  EXPECT_TRUE(parse_step(without("SLURM_STEP_RESV_PORTS"))->reserved_ports.empty());
  EXPECT_TRUE(parse_step(with("SLURM_STEP_RESV_PORTS", "(null)"))->reserved_ports.empty());
}

TEST(Step, DoesNotNeedTheNumbersThatSlurmTellsTwice) {
  EXPECT_TRUE(parse_step(without("SLURM_STEP_NUM_TASKS")).has_value());
  EXPECT_TRUE(parse_step(without("SLURM_STEP_NUM_NODES")).has_value());
  EXPECT_TRUE(parse_step(without("SLURMD_NODENAME")).has_value());
}

TEST(Step, IgnoresTheJobsVariables) {
  Environment environment = task();
  environment.set("SLURM_NODELIST", "other[1-9]");
  environment.set("SLURM_JOB_NODELIST", "other[1-9]");
  environment.set("SLURM_NTASKS_PER_NODE", "8");
  environment.set("SLURM_TASKS_PER_NODE", "8(x9)");
  EXPECT_EQ(*parse_step(environment), *parse_step(task()));
}

TEST(Step, SeesAJobInAnyOfItsVariables) {
  EXPECT_FALSE(is_slurm_job({{"SLURM_CONF", "/etc/slurm/slurm.conf"}}));
  EXPECT_TRUE(is_slurm_job({{"SLURM_JOB_ID", "1"}}));
  EXPECT_TRUE(is_slurm_job({{"SLURM_JOBID", "1"}}));
  EXPECT_TRUE(is_slurm_job({{"SLURM_PROCID", "0"}}));
}

TEST(Step, OffersStandaloneOutsideOfSlurm) {
  expect_refusal({}, "SLURM_JOB_ID is not set");
  expect_refusal({}, "`muster --standalone PROGRAM`");
}

TEST(Step, NamesTheMissingVariable) {
  for (const std::string_view name : {"SLURM_STEP_NODELIST", "SLURM_STEP_TASKS_PER_NODE",
                                      "SLURM_NODEID", "SLURM_LOCALID", "SLURM_PROCID"}) {
    expect_refusal(without(name), std::string(name) + " is not set");
    expect_refusal(without(name), "srun muster PROGRAM");
    expect_refusal(with(name, ""), std::string(name) + " is empty");
  }
}

TEST(Step, NamesTheMalformedVariable) {
  for (const std::string_view name :
       {"SLURM_JOB_ID", "SLURM_STEP_ID", "SLURM_RESTART_COUNT", "SLURM_NODEID", "SLURM_LOCALID",
        "SLURM_PROCID", "SLURM_STEP_NUM_NODES", "SLURM_STEP_NUM_TASKS"}) {
    expect_refusal(with(name, "-1"), std::string(name) + " '-1': position 1: expected a number");
    expect_refusal(with(name, "1x"), std::string(name) + " '1x': position 2: expected the end");
    expect_refusal(with(name, "99999999999999999999"), name);
  }
  expect_refusal(with("SLURM_STEP_NODELIST", "n[1-"), "SLURM_STEP_NODELIST: hostlist 'n[1-'");
  expect_refusal(with("SLURM_STEP_TASKS_PER_NODE", "2(x"), "SLURM_STEP_TASKS_PER_NODE: task cou");
  expect_refusal(with("SLURM_STEP_RESV_PORTS", "5-"), "SLURM_STEP_RESV_PORTS: ports '5-'");
}

TEST(Step, RefusesAPlaceOutsideOfTheStep) {
  expect_refusal(with("SLURM_NODEID", "2"),
                 "SLURM_NODEID is 2, but SLURM_STEP_NODELIST names 2 nodes; expected 0 to 1");
  expect_refusal(with("SLURM_LOCALID", "2"),
                 "SLURM_LOCALID is 2, but n2 has 2 tasks; expected 0 to 1");
  expect_refusal(with("SLURM_PROCID", "4"),
                 "SLURM_PROCID is 4, but the step has 4 tasks; expected 0 to 3");
}

TEST(Step, RefusesCountsThatContradict) {
  expect_refusal(with("SLURM_STEP_TASKS_PER_NODE", "2(x3)"),
                 "names 2 nodes, but SLURM_STEP_TASKS_PER_NODE '2(x3)' counts 3 nodes");
  expect_refusal(with("SLURM_STEP_NUM_TASKS", "5"),
                 "SLURM_STEP_NUM_TASKS is 5, but SLURM_STEP_TASKS_PER_NODE makes 4");
  expect_refusal(with("SLURM_STEP_NUM_NODES", "4"),
                 "SLURM_STEP_NUM_NODES is 4, but SLURM_STEP_NODELIST makes 2");
  expect_refusal(with("SLURM_STEP_NODELIST", "n2,n2"), "names host n2 twice");
}

TEST(Step, RefusesAnEnvironmentCopiedFromAnotherNode) {
  expect_refusal(with("SLURM_NODEID", "0"),
                 "SLURMD_NODENAME is n2, but SLURM_NODEID 0 of SLURM_STEP_NODELIST is n1");
}

TEST(Step, RefusesTheBatchScript) {
  const Environment script = {{"SLURM_JOB_ID", "4242"},
                              {"SLURM_JOB_NUM_NODES", "4"},
                              {"SLURM_PROCID", "0"},
                              {"SLURM_NODEID", "0"},
                              {"SLURMD_NODENAME", "n1"}};
  EXPECT_EQ(
      refusal(script),
      "muster runs in the batch script of job 4242, which has 4 nodes; only one of them would "
      "train: start muster with srun: `srun muster PROGRAM`");
}

TEST(Step, OffersStandaloneInABatchScriptOfOneNode) {
  const Environment script = {
      {"SLURM_JOB_ID", "4242"}, {"SLURM_JOB_NUM_NODES", "1"}, {"SLURM_PROCID", "0"}};
  EXPECT_EQ(refusal(script),
            "muster runs in the batch script of job 4242: start muster with srun: `srun muster "
            "PROGRAM`, or `muster --standalone PROGRAM` for this node alone");
}

TEST(Step, RefusesASpecialStep) {
  for (const std::string_view id : {"4294967280", "4294967290", "4294967295"}) {
    expect_refusal(with("SLURM_STEP_ID", id), "an interactive shell (salloc) of job 4242");
  }
  EXPECT_TRUE(parse_step(with("SLURM_STEP_ID", "4294967279")).has_value());
}

TEST(Step, DoesNotOfferTheLoginNodeForTraining) {
  const Environment shell = {{"SLURM_JOB_ID", "4242"}, {"SLURM_JOB_NUM_NODES", "1"}};
  EXPECT_EQ(refusal(shell).find("--standalone"), std::string::npos);
}

TEST(Step, SurvivesMutations) {
  constexpr std::string_view kBytes = "0129[],-(x) \x7f";
  constexpr unsigned kSeed = 17;
  std::mt19937 random(kSeed);
  const auto variables = task().variables();
  for (int round = 0; round < 2000; ++round) {
    const auto& [name, value] = variables[random() % variables.size()];
    std::string changed = value;
    changed[random() % changed.size()] = kBytes[random() % kBytes.size()];
    const auto step = parse_step(with(name, changed));
    if (!step) continue;
    EXPECT_LT(value_of(step->node), step->hosts.size()) << name << '=' << changed;
    EXPECT_LT(value_of(step->local_task), step->tasks_on_this_node()) << name << '=' << changed;
    EXPECT_EQ(step->hosts.size(), step->tasks_per_node.size()) << name << '=' << changed;
  }
}

}  // namespace
}  // namespace muster::slurm
