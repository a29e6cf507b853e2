#include "rendezvous/c_api/environment_join.h"

#include <gtest/gtest.h>

namespace muster::rendezvous {
namespace {

// Task 5 of a step of 2 + 4 tasks that were dealt out in turn: PROCID does not follow the layout.
Environment task_of_step() {
  return Environment{
      {"SLURM_JOB_ID", "4242"},
      {"SLURM_STEP_ID", "1"},
      {"SLURM_RESTART_COUNT", "2"},
      {"SLURM_STEP_NODELIST", "node[7-8]"},
      {"SLURM_NODEID", "1"},
      {"SLURM_STEP_TASKS_PER_NODE", "2,4"},
      {"SLURM_LOCALID", "1"},
      {"SLURM_PROCID", "3"},
      {"SLURMD_NODENAME", "node8"},
      {"MUSTER_TOKEN", "0123456789abcdef"},
      {"SLURM_STEP_RESV_PORTS", "21000-21001"},
  };
}

TEST(EnvironmentJoin, ExpectsTheTasksOfTheStep) {
  const auto join = plan_environment_join(task_of_step(), {}, "");
  ASSERT_TRUE(join) << join.error().message();
  const JoinOptions& options = join->options;
  EXPECT_EQ(options.incarnation, (Incarnation{4242, 1, 2, "program"}));
  ASSERT_EQ(options.expected.size(), 6U);
  EXPECT_EQ(options.expected[1], (ExpectedMember{NodeIndex{0}, LocalTask{1}, "node7"}));
  EXPECT_EQ(options.expected[2], (ExpectedMember{NodeIndex{1}, LocalTask{0}, "node8"}));
  EXPECT_EQ(options.self.node, NodeIndex{1});
  EXPECT_EQ(options.self.task, LocalTask{1});
  EXPECT_EQ(options.self.host, "node8");
  EXPECT_EQ(join->rank, 3U);
}

TEST(EnvironmentJoin, LooksForTheServerOnTheFirstNode) {
  Environment environment = task_of_step();
  const auto joiner = plan_environment_join(environment, {}, "");
  ASSERT_TRUE(joiner);
  EXPECT_EQ(joiner->options.coordinator_hosts, std::vector<std::string>{"node7"});
  EXPECT_FALSE(joiner->options.host_server);
  ASSERT_GT(joiner->options.ports.size(), 2U);
  EXPECT_EQ(joiner->options.ports[0], 21000);
  EXPECT_EQ(joiner->options.ports[1], 21001);
  for (const auto& [name, value] : {std::pair("SLURM_NODEID", "0"),
                                    {"SLURM_LOCALID", "0"},
                                    {"SLURMD_NODENAME", "node7"},
                                    {"SLURM_PROCID", "4"}})
    environment.set(name, value);
  const auto server = plan_environment_join(environment, {}, "");
  ASSERT_TRUE(server) << server.error().message();
  EXPECT_TRUE(server->options.host_server) << "by place, whatever its PROCID";
}

TEST(EnvironmentJoin, NameMakesAnotherMeetingOnOtherPorts) {
  Environment environment = task_of_step();
  environment.unset("SLURM_STEP_RESV_PORTS");
  const auto first = plan_environment_join(environment, {}, "");
  const auto second = plan_environment_join(environment, {}, "eval");
  ASSERT_TRUE(first && second);
  EXPECT_EQ(second->options.incarnation.scope, "program.eval");
  EXPECT_NE(first->options.ports, second->options.ports);
  const auto too_long = plan_environment_join(environment, {}, std::string(49, 'x'));
  ASSERT_FALSE(too_long);
  EXPECT_EQ(too_long.error().code(), ErrorCode::kLimit);
}

TEST(EnvironmentJoin, PrefersAGroupThatALauncherPrepared) {
  JoinOptions prepared;
  prepared.incarnation = {4242, 1, 2, "check.0"};
  prepared.expected = {{NodeIndex{0}, LocalTask{0}, "a"}, {NodeIndex{0}, LocalTask{1}, "a"}};
  prepared.self.task = LocalTask{1};
  prepared.coordinator_hosts = {"10.0.0.1"};
  prepared.ports = {12345};
  prepared.authentication.method = AuthenticationMethod::kKey;
  prepared.authentication.key = "0123456789abcdef";
  Environment environment = task_of_step();
  const Environment group = group_environment(prepared);
  for (const auto& [name, value] : group.variables()) environment.set(name, value);
  const auto join = plan_environment_join(environment, {}, "");
  ASSERT_TRUE(join) << join.error().message();
  EXPECT_EQ(join->options.incarnation, prepared.incarnation);
  EXPECT_EQ(join->options.ports, prepared.ports);
  EXPECT_EQ(join->rank, std::nullopt);
  const auto named = plan_environment_join(environment, {}, "eval");
  ASSERT_TRUE(named);
  EXPECT_EQ(named->options.incarnation.scope, "check.0.eval");
  EXPECT_NE(named->options.ports, prepared.ports);
}

TEST(EnvironmentJoin, WithoutProofSaysWhatToWrite) {
  Environment environment = task_of_step();
  environment.unset("MUSTER_TOKEN");
  const auto join = plan_environment_join(environment, {}, "");
  ASSERT_FALSE(join);
  EXPECT_EQ(join.error().code(), ErrorCode::kUnavailable);
  EXPECT_NE(join.error().message().find("export MUSTER_TOKEN="), std::string::npos);
}

TEST(EnvironmentJoin, PassesOnWhatIsWrongWithTheStep) {
  Environment environment = task_of_step();
  environment.set("SLURM_LOCALID", "4");
  const auto join = plan_environment_join(environment, {}, "");
  ASSERT_FALSE(join);
  EXPECT_NE(join.error().message().find("SLURM_LOCALID is 4"), std::string::npos);
}

}  // namespace
}  // namespace muster::rendezvous
