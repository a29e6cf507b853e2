#include "launcher/plan/print_plan.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tests/launcher/plan/nodes.h"

namespace muster::plan {
namespace {

std::string print(const std::vector<AgentPlace>& agents, const SlotWish& slots = {}) {
  DryRun run;
  run.title = "job 42, step 0";
  const auto job = plan_job(agents, slots);
  EXPECT_TRUE(job.has_value()) << (job ? "" : job.error().message());
  run.plan = *job;
  run.command = {"python3", "-u", "my train.py"};
  run.agent = {{"PATH", "/bin"}, {"PMI_FD", "7"}, {"OMP_NUM_THREADS", "4"}};
  run.worker = {{"PATH", "/bin"}, {"RANK", "0"}, {"OMP_NUM_THREADS", "4"}, {"A", "x y"}};
  return print_plan(run);
}

TEST(PrintPlan, SaysNodesAgentsRanksDevicesCommandAndEnvironment) {
  EXPECT_EQ(print(node_of(0, 2, gpus(4)) + node_of(1, 2, gpus(4)), wish_count(4)),
            "job 42, step 0: 2 nodes, 4 agents, 8 workers\n"
            "nodes\n"
            "  0-1  n0, n1 (2 nodes, each:)  2 agents x 2 workers; ranks 0-7; 4 GPUs, inherited\n"
            "command of each worker\n"
            "  python3 -u 'my train.py'\n"
            "environment of rank 0, beside what it inherits\n"
            "  A='x y'\n"
            "  RANK=0\n"
            "removed from it\n"
            "  PMI_FD\n");
}

TEST(PrintPlan, GivesAnOddNodeItsOwnLine) {
  const std::string text = print(node_of(0, 1) + node_of(1, 3) + node_of(2, 1));
  EXPECT_NE(text.find("  1  n1  3 agents x 1 worker; ranks 1-3; devices inherited, none seen\n"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("  2  n2  1 agent x 1 worker; ranks 4;"), std::string::npos) << text;
}

TEST(PrintPlan, ShowsFiveHundredEqualNodesInOneLine) {
  std::vector<AgentPlace> agents;
  for (std::uint32_t node = 0; node < 512; ++node) agents.push_back(node_of(node, 1)[0]);
  const std::string text = print(agents, wish_count(8));
  EXPECT_LT(std::count(text.begin(), text.end(), '\n'), 12);
  EXPECT_NE(text.find("  0-511  n0 ... n511 (512 nodes, each:)  1 agent x 8 workers; ranks 0-4095"),
            std::string::npos)
      << text;
}

TEST(QuoteForShell, QuotesOnlyWhatNeedsIt) {
  EXPECT_EQ(quote_for_shell("a-b=c/d.py"), "a-b=c/d.py");
  EXPECT_EQ(quote_for_shell("it's"), "'it'\\''s'");
  EXPECT_EQ(quote_for_shell(""), "''");
  EXPECT_EQ(quote_for_shell("$X"), "'$X'");
}

}  // namespace
}  // namespace muster::plan
