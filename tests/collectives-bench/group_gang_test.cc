#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <tuple>

#include "collectives-bench/exit_code.h"
#include "collectives-bench/gang.h"
#include "rendezvous/group.h"
#include "rendezvous/ports.h"
#include "tests/collectives-bench/bench_gang.h"

namespace muster::bench::testing {
namespace {

// Two nodes with two tasks each, as a parent that holds a key prepares them.
rendezvous::JoinOptions prepared_group(std::size_t rank) {
  rendezvous::JoinOptions options;
  options.incarnation = {static_cast<std::uint64_t>(::getpid()), 0, 0, "check.0"};
  for (std::uint32_t member = 0; member < 4; ++member) {
    options.expected.push_back(
        {NodeIndex{member / 2}, LocalTask{member % 2}, "node" + std::to_string(member / 2)});
  }
  options.self.node = options.expected[rank].node;
  options.self.task = options.expected[rank].task;
  options.self.host = options.expected[rank].host;
  options.coordinator_hosts = {"127.0.0.1"};
  options.ports = rendezvous::candidate_ports(options.incarnation, {});
  options.host_server = rank == 0;
  options.authentication.method = rendezvous::AuthenticationMethod::kKey;
  options.authentication.key = "a key of the gang's parent";
  options.deadline = std::chrono::seconds(30);
  return options;
}

GangPlan group_gang(const CheckSpec& spec) {
  GangPlan plan;
  plan.size = 4;
  plan.program = MUSTER_BENCH_PROGRAM;
  plan.arguments = gang_arguments(spec);
  plan.reports = false;  // gang_arguments() names the descriptor
  plan.environment = {"MUSTER_MODULE_DIR=" MUSTER_TEST_MODULES};
  plan.rank_environment = [](std::size_t rank) {
    return rendezvous::group_environment(prepared_group(rank)).to_strings();
  };
  return plan;
}

TEST(GroupGang, MeasuresThroughARealRendezvousAsTheLauncherAsksForIt) {
  CheckSpec spec;
  spec.sizes = {.min_bytes = 1 << 20, .max_bytes = 2 << 20, .step_bytes = 0, .factor = 2};
  spec.iterations = 2;
  spec.report_fd = 4;
  const auto ends = run_gang(group_gang(spec));
  for (std::size_t rank = 0; rank < ends.size(); ++rank) {
    EXPECT_EQ(ends[rank].wait_status, 0) << ends[rank].output;
    EXPECT_EQ(ends[rank].output, "");
    const auto report = parse_report(ends[rank].report);
    ASSERT_TRUE(report) << ends[rank].report;
    EXPECT_EQ(report->rank, rank);
    EXPECT_EQ(report->node, rank / 2);
    EXPECT_GT(report->timings.join, 0);
    EXPECT_GT(report->timings.measure, 0);
  }
  const Verdict verdict = judge(outcomes_of(ends), {.min_busbw = 1e-6});
  EXPECT_EQ(verdict.decision, Decision::kGo) << verdict.line;
}

// Two nodes with two tasks: two nodes, two rails or one pair.
TEST(GroupGang, SplitsTheWorldThatTheRendezvousFormed) {
  for (const auto& [split, groups, name] :
       {std::tuple{"node", "2 groups", "  node "}, std::tuple{"rail", "2 groups", "  rail "},
        std::tuple{"pair", "1 groups", "  nodes 0-1 (node0, node1)"}}) {
    SCOPED_TRACE(split);
    GangPlan plan = group_gang({});
    plan.arguments = {"all_gather", "--backend", "fabric",  "-b", "64K",
                      "-n",         "2",         "--split", split};
    const auto ends = run_gang(plan);
    for (const RankEnd& end : ends) EXPECT_EQ(end.wait_status, 0) << end.output;
    const std::string& output = ends[0].output;
    EXPECT_NE(output.find("# world: 4 ranks on 2 nodes\n"), std::string::npos) << output;
    EXPECT_NE(output.find(groups), std::string::npos) << output;
    EXPECT_NE(output.find(name), std::string::npos) << output;
    EXPECT_NE(output.find("# Out of bounds values : 0 OK"), std::string::npos) << output;
  }
}

TEST(GroupGang, AMemberThatNeverComesIsNamedAtTheDeadline) {
  CheckSpec spec;
  spec.deadline = std::chrono::seconds(2);
  spec.report_fd = 4;
  GangPlan plan = group_gang(spec);
  plan.size = 3;
  const auto ends = run_gang(plan);
  EXPECT_EQ(WEXITSTATUS(ends[0].wait_status), static_cast<int>(ExitCode::kDeadline))
      << ends[0].output;
  const auto report = parse_report(ends[0].report);
  ASSERT_TRUE(report) << ends[0].report;
  ASSERT_TRUE(report->error);
  EXPECT_EQ(report->error->phase, Phase::kJoin);
}

}  // namespace
}  // namespace muster::bench::testing
