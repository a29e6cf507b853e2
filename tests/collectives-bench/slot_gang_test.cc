// muster-bench -g N with real processes, without Slurm: a world of N on this machine.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <csignal>

#include "collectives-bench/exit_code.h"
#include "rendezvous/base/time.h"
#include "tests/collectives-bench/bench_gang.h"
#include "tests/collectives-bench/bench_process.h"

namespace muster::bench::testing {
namespace {

constexpr Duration kSoon = std::chrono::seconds(20);  // far before any deadline given below
constexpr const char* kLastHeader = "(us)     (%)     rank\n";

std::vector<std::string> three_ranks(std::vector<std::string> more) {
  std::vector<std::string> arguments = {"all_reduce", "-g", "3", "--backend", "fabric"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

struct ThreeRanks : BenchProcess {
  explicit ThreeRanks(std::vector<std::string> more, std::vector<std::string> environment = {})
      : BenchProcess(MUSTER_BENCH_PROGRAM, three_ranks(std::move(more)), [&environment] {
          environment.push_back("MUSTER_MODULE_DIR=" MUSTER_TEST_MODULES);
          return environment;
        }()) {}
};

// Measures until somebody ends it.
ThreeRanks endless() {
  return ThreeRanks({"-b", "256K", "-n", "1000000", "--deadline", "50"});
}

TEST(SlotGang, ThreeRanksOfOneProcessFormAWorldOfTheirOwn) {
  ThreeRanks ranks({"-b", "1K", "-e", "64K", "-f", "8", "-n", "2"});
  ASSERT_TRUE(ranks.read_to_end());
  EXPECT_EQ(ranks.wait(), 0) << ranks.output();
  EXPECT_NE(ranks.output().find("# world: 3 ranks on 1 node\n"), std::string::npos)
      << ranks.output();
  EXPECT_NE(ranks.output().find("# Out of bounds values : 0 OK"), std::string::npos)
      << ranks.output();
  EXPECT_EQ(ranks.output().find('\x1b'), std::string::npos) << "no progress in a pipe";
}

TEST(SlotGang, TheirLocalRanksAreTheSlots) {
  ThreeRanks ranks({"-b", "1K", "-n", "2", "--json", "-"});
  ASSERT_TRUE(ranks.read_to_end());
  for (const char* place : {"\"local_rank\":0", "\"local_rank\":1", "\"local_rank\":2"}) {
    EXPECT_NE(ranks.output().find(place), std::string::npos) << ranks.output();
  }
  EXPECT_EQ(ranks.wait(), 0);
}

TEST(SlotGang, AKilledRankIsNamedAndEndsTheOthersAtOnce) {
  ThreeRanks ranks = endless();
  ASSERT_TRUE(ranks.read_until(kLastHeader)) << ranks.output();
  const TimePoint killed = Clock::now();
  ASSERT_EQ(::kill(ranks.pid_of_rank(2), SIGKILL), 0) << ranks.output();
  EXPECT_EQ(ranks.wait(), 128 + SIGKILL);
  EXPECT_TRUE(ranks.read_to_end()) << "somebody was left behind";
  EXPECT_LT(Clock::now() - killed, kSoon);
  EXPECT_NE(ranks.output().find("muster-bench: rank 2 ("), std::string::npos) << ranks.output();
  EXPECT_NE(ranks.output().find("died of signal 9 (SIGKILL); ending the others of its task\n"),
            std::string::npos)
      << ranks.output();
}

TEST(SlotGang, TheRanksDieWithTheirParent) {
  ThreeRanks ranks = endless();
  ASSERT_TRUE(ranks.read_until(kLastHeader)) << ranks.output();
  const TimePoint killed = Clock::now();
  ASSERT_EQ(::kill(ranks.pid(), SIGKILL), 0);
  EXPECT_EQ(ranks.wait(), 128 + SIGKILL);
  EXPECT_TRUE(ranks.read_to_end()) << "somebody outlived the parent";
  EXPECT_LT(Clock::now() - killed, kSoon);
}

TEST(SlotGang, ASignalToTheParentReachesAllAndIsNoCrash) {
  ThreeRanks ranks = endless();
  ASSERT_TRUE(ranks.read_until(kLastHeader)) << ranks.output();
  ASSERT_EQ(::kill(ranks.pid(), SIGTERM), 0);
  EXPECT_EQ(ranks.wait(), 128 + SIGTERM);
  EXPECT_TRUE(ranks.read_to_end()) << "somebody was left behind";
  EXPECT_EQ(ranks.output().find("died of"), std::string::npos) << ranks.output();
}

TEST(SlotGang, AStoppedRankIsNamedAfterTheDeadline) {
  ThreeRanks ranks({"-b", "4M", "--deadline", "3"}, {"MUSTER_BENCH_FAULT=stop:1"});
  EXPECT_EQ(ranks.wait(), static_cast<int>(ExitCode::kDeadline));
  EXPECT_TRUE(ranks.read_to_end());
  EXPECT_NE(ranks.output().find("did not end by the deadline: killed"), std::string::npos)
      << ranks.output();
}

TEST(SlotGang, WrongDataOnOneRankIsTheExitCode) {
  ThreeRanks ranks({"-b", "64K", "-n", "1"}, {"MUSTER_BENCH_FAULT=corrupt:1"});
  EXPECT_EQ(ranks.wait(), static_cast<int>(ExitCode::kWrongData));
}

TEST(SlotGang, InAGangOfAParentItIsRefused) {
  ThreeRanks ranks({"-b", "64K"}, {"MUSTER_GROUP_ID=1/0/0/check.0"});
  EXPECT_EQ(ranks.wait(), static_cast<int>(ExitCode::kUsage));
  ASSERT_TRUE(ranks.read_to_end());
  EXPECT_NE(ranks.output().find("-g 3: the parent of this gang starts a process a rank"),
            std::string::npos)
      << ranks.output();
}

TEST(SlotGang, ARankWhoseParentIsGoneEndsAtOnce) {
  ThreeRanks ranks({"-b", "64K"}, {"MUSTER_BENCH_SLOT=0/3/1"});
  EXPECT_EQ(ranks.wait(), static_cast<int>(ExitCode::kFailed));
  ASSERT_TRUE(ranks.read_to_end());
  EXPECT_NE(ranks.output().find("the parent of this rank, process 1, is gone"), std::string::npos)
      << ranks.output();
}

}  // namespace
}  // namespace muster::bench::testing
