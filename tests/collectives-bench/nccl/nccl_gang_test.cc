// The nccl backend against a CUDA driver and an NCCL that need no GPU. What only a GPU can show
// stands in tests/gpu/.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "collectives-bench/exit_code.h"
#include "tests/collectives-bench/bench_gang.h"

namespace muster::bench::testing {
namespace {

GangPlan nccl_gang(std::size_t size, std::vector<std::string> arguments,
                   const std::string& misbehaviour = "") {
  GangPlan plan;
  plan.size = size;
  plan.arguments = {"all_reduce", "--backend", "nccl", "--deadline", "30"};
  plan.arguments.insert(plan.arguments.end(), arguments.begin(), arguments.end());
  plan.environment = {"MUSTER_MODULE_DIR=" MUSTER_TEST_MODULES,
                      "LD_LIBRARY_PATH=" MUSTER_FAKE_LIBRARIES, "FAKE_NCCL=" + misbehaviour};
  return plan;
}

int exit_code(const RankEnd& end) {
  return WIFEXITED(end.wait_status) ? WEXITSTATUS(end.wait_status) : -1;
}

TEST(NcclGang, MeasuresVerifiesAndSaysWhatItUsed) {
  for (const std::size_t size : {1u, 3u}) {
    const auto ends = run_gang(nccl_gang(size, {"-b", "8", "-e", "6M", "-f", "64", "-n", "2"}));
    for (const RankEnd& end : ends) {
      EXPECT_EQ(exit_code(end), 0) << end.output;
      const auto report = parse_report(end.report);
      ASSERT_TRUE(report) << end.report << end.output;
      EXPECT_EQ(report->library, "NCCL 2.28.9");
      EXPECT_EQ(report->path, MUSTER_FAKE_LIBRARIES "/libnccl.so.2");
      EXPECT_EQ(report->device, "GPU 0 Fake GPU 0000:00:00.0");
      EXPECT_EQ(report->network, "Socket");
      ASSERT_EQ(report->rows.size(), 4u);
      for (const Row& row : report->rows) {
        EXPECT_EQ(row.out_of_place.wrong, 0u) << row.bytes;
        EXPECT_EQ(row.in_place.wrong, 0u) << row.bytes;
      }
    }
  }
}

// What it says itself, into a file in memory, is the evidence of what it uses.
TEST(NcclGang, TellsTheNetworkAndTheAlgorithmThatNcclNames) {
  GangPlan plan = nccl_gang(2, {"-b", "8", "-e", "1M", "-f", "64", "-n", "1"});
  plan.environment.push_back("FAKE_NCCL_NETWORK=efa");
  const auto ends = run_gang(plan);
  for (const RankEnd& end : ends) {
    const auto report = parse_report(end.report);
    ASSERT_TRUE(report) << end.report << end.output;
    EXPECT_EQ(report->network, "Libfabric (efa, aws-ofi-nccl 1.16.3)");
    ASSERT_TRUE(report->nccl);
    EXPECT_EQ(report->nccl->version, "2.28.9");
    EXPECT_EQ(report->nccl->network, "Libfabric");
    EXPECT_EQ(report->nccl->provider, "efa");
    EXPECT_EQ(report->nccl->nics, 32u);
    EXPECT_EQ(report->nccl->nvls, "available");
    EXPECT_EQ(end.output.find("NCCL INFO"), std::string::npos) << end.output;
  }
  EXPECT_EQ(parse_report(ends[0].report)->algorithm, "NVLS") << "of the largest size";
  EXPECT_EQ(parse_report(ends[1].report)->algorithm, "") << "only the first rank is told";
}

TEST(NcclGang, TheUsersOwnDebugSettingWinsAndNothingIsCaught) {
  GangPlan plan = nccl_gang(2, {"-b", "8", "-n", "1"});
  plan.environment.insert(plan.environment.end(), {"NCCL_DEBUG=INFO", "NCCL_DEBUG_SUBSYS=INIT"});
  for (const RankEnd& end : run_gang(plan)) {
    const auto report = parse_report(end.report);
    ASSERT_TRUE(report) << end.report << end.output;
    EXPECT_EQ(report->network, "built-in transport");
    ASSERT_TRUE(report->nccl);
    EXPECT_EQ(report->nccl->network, "");
    EXPECT_NE(end.output.find("NCCL INFO Using network Socket"), std::string::npos) << end.output;
  }
}

TEST(NcclGang, AnNcclThatSaysNothingIsMeasuredAllTheSame) {
  GangPlan plan = nccl_gang(1, {"-b", "64K", "-n", "1"});
  plan.environment.push_back("FAKE_NCCL_NETWORK=silent");
  const auto report = parse_report(run_gang(plan)[0].report);
  ASSERT_TRUE(report);
  EXPECT_EQ(report->network, "built-in transport");
}

// All operations with 1 and 3 ranks, every root; 3 ranks do not divide the sizes.
TEST(NcclGang, EveryOperationGivesWhatItMustOutOfPlaceAndInPlace) {
  for (const Operation operation : kOperations) {
    if (operation == Operation::kPingPong) continue;  // the fabric's alone
    for (const std::size_t size : {1u, 3u}) {
      SCOPED_TRACE(std::string(to_string(operation)) + " of " + std::to_string(size));
      const std::string root = std::to_string(has_root(operation) ? size - 1 : 0);
      GangPlan plan = nccl_gang(size, {"-b", "1K", "-e", "1M", "-f", "32", "-n", "2", "-r", root});
      plan.arguments.front() = std::string(to_string(operation)) + "_perf";
      for (const RankEnd& end : run_gang(plan)) {
        ASSERT_EQ(exit_code(end), 0) << end.output;
        const auto report = parse_report(end.report);
        ASSERT_TRUE(report) << end.report;
        EXPECT_EQ(report->operation, operation);
        ASSERT_EQ(report->rows.size(), 3u);
        for (const Row& row : report->rows) {
          EXPECT_EQ(row.out_of_place.wrong, 0u) << row.bytes;
          EXPECT_EQ(row.has_in_place, runs_in_place(operation));
          if (row.has_in_place) {
            EXPECT_EQ(row.in_place.wrong, 0u) << row.bytes;
          }
          ASSERT_TRUE(row.out_of_place.iterations);
          EXPECT_EQ(row.out_of_place.iterations->p50_us, 2000);  // what the fake's events say
        }
      }
    }
  }
}

// One letter for each call of the one rank: o for an operation, e for an event.
std::string calls_of(const std::string& misbehaviour, const std::string& warmup = "0") {
  const std::string file = ::testing::TempDir() + "nccl-calls-" + misbehaviour;
  std::filesystem::remove(file);
  GangPlan plan = nccl_gang(1, {"-b", "64K", "-n", "4", "-w", warmup, "-c", "0", "--out-of-place"},
                            misbehaviour);
  plan.environment.push_back("FAKE_CALLS=" + file);
  const auto ends = run_gang(plan);
  EXPECT_EQ(exit_code(ends[0]), 0) << ends[0].output;
  const auto report = parse_report(ends[0].report);
  EXPECT_TRUE(report && report->rows[0].out_of_place.iterations) << ends[0].report;
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

// The GPU stamps an event in a microsecond, which is much of a short operation.
TEST(NcclGang, NoEventStandsBetweenShortOperationsThatAreTimedTogether) {
  EXPECT_EQ(calls_of("nothing"),
            "o"
            "oooo"
            "eoeoeoeoe");
}

TEST(NcclGang, WarmUpRunsOnce) {
  EXPECT_EQ(calls_of("warm-up", "2"),
            "eoeoe"
            "o"
            "oooo"
            "eoeoeoeoe");
}

TEST(NcclGang, LongOperationsAreTimedOnceForAllNumbers) {
  EXPECT_EQ(calls_of("slow"),
            "o"
            "eoeoeoeoe");
}

TEST(NcclGang, BuffersThatDoNotFitAreRefusedWithWhatIsFree) {
  GangPlan plan = nccl_gang(2, {"-b", "8", "-e", "64M", "-f", "2"});
  plan.environment.push_back("FAKE_CUDA_MEMORY=33554432");
  for (const RankEnd& end : run_gang(plan)) {
    EXPECT_EQ(exit_code(end), static_cast<int>(ExitCode::kFailed)) << end.output;
    EXPECT_NE(end.output.find("two buffers of 64 MiB do not fit on the GPU, which had 32 MiB of 32 "
                              "MiB free; write a smaller -e"),
              std::string::npos)
        << end.output;
  }
}

TEST(NcclGang, OneWrongElementOfAnyOperationIsSeen) {
  for (const Operation operation : kOperations) {
    if (operation == Operation::kPingPong) continue;  // the fabric's alone
    SCOPED_TRACE(to_string(operation));
    GangPlan plan = nccl_gang(2, {"-b", "64K", "-n", "1"}, "corrupt");
    plan.arguments.front() = to_string(operation);
    const auto ends = run_gang(plan);
    for (const RankEnd& end : ends) {
      EXPECT_EQ(exit_code(end), static_cast<int>(ExitCode::kWrongData)) << end.output;
    }
    const auto report = parse_report(ends[0].report);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->rows[0].out_of_place.wrong, 1u);
  }
}

TEST(NcclGang, OneWrongElementIsWrongData) {
  for (const RankEnd& end : run_gang(nccl_gang(2, {"-b", "6M", "-n", "1"}, "corrupt"))) {
    EXPECT_EQ(exit_code(end), static_cast<int>(ExitCode::kWrongData)) << end.output;
    const auto report = parse_report(end.report);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->rows[0].out_of_place.wrong, 1u);
    EXPECT_EQ(report->rows[0].in_place.wrong, 1u);
  }
}

// What tests/gpu/ orders on a real GPU.
TEST(NcclGang, ACorruptedElementOfOneRankIsSeenByAll) {
  GangPlan plan = nccl_gang(2, {"-b", "64K", "-n", "1"});
  plan.environment.push_back("MUSTER_BENCH_FAULT=corrupt:1");
  const auto ends = run_gang(plan);
  for (std::size_t rank = 0; rank < ends.size(); ++rank) {
    EXPECT_EQ(exit_code(ends[rank]), static_cast<int>(ExitCode::kWrongData)) << ends[rank].output;
    const auto report = parse_report(ends[rank].report);
    ASSERT_TRUE(report) << ends[rank].report;
    EXPECT_EQ(report->rows[0].out_of_place.wrong, rank) << "one, of rank 1";
    EXPECT_EQ(report->rows[0].in_place.wrong, rank);
  }
}

TEST(NcclGang, AStoppedRankIsTheOneThatDoesNotReport) {
  GangPlan plan = nccl_gang(2, {"-b", "64K", "--deadline", "2"});
  plan.environment.push_back("MUSTER_BENCH_FAULT=stop:1");
  plan.stuck = 1;
  const auto ends = run_gang(plan);
  EXPECT_EQ(exit_code(ends[0]), static_cast<int>(ExitCode::kDeadline)) << ends[0].output;
  EXPECT_TRUE(ends[1].was_stuck);
  const Verdict verdict = judge(outcomes_of(ends), {});
  EXPECT_EQ(verdict.decision, Decision::kStop);
  EXPECT_NE(verdict.line.find("rank 1"), std::string::npos) << verdict.line;
}

TEST(NcclGang, ACommunicatorThatNeverConnectsIsAbortedAtTheDeadline) {
  for (const RankEnd& end : run_gang(nccl_gang(2, {"-b", "8", "--deadline", "1"}, "hang-init"))) {
    EXPECT_EQ(exit_code(end), static_cast<int>(ExitCode::kDeadline)) << end.output;
    EXPECT_NE(end.output.find("init: connect the communicator: NCCL did not finish"),
              std::string::npos)
        << end.output;
    EXPECT_NE(end.output.find("fake NCCL: aborted"), std::string::npos) << end.output;
  }
}

TEST(NcclGang, ACallThatNeverReturnsEndsByTheWatchdogWithAReport) {
  for (const RankEnd& end : run_gang(nccl_gang(2, {"-b", "8", "--deadline", "1"}, "hang-call"))) {
    EXPECT_EQ(exit_code(end), static_cast<int>(ExitCode::kDeadline)) << end.output;
    const auto report = parse_report(end.report);
    ASSERT_TRUE(report) << end.report;
    ASSERT_TRUE(report->error);
    EXPECT_EQ(report->error->code, ErrorCode::kTimeout);
    EXPECT_EQ(report->error->phase, Phase::kWarmup);
    EXPECT_EQ(report->backend, "nccl");
  }
}

TEST(NcclGang, APeerThatNcclLostIsAFailureWithItsText) {
  for (const RankEnd& end : run_gang(nccl_gang(2, {"-b", "8", "--deadline", "5"}, "peer-lost"))) {
    EXPECT_EQ(exit_code(end), static_cast<int>(ExitCode::kFailed)) << end.output;
    EXPECT_NE(end.output.find("remote process exited"), std::string::npos) << end.output;
  }
}

TEST(NcclGang, ANodeWithoutAGpuCannotRun) {
  GangPlan plan = nccl_gang(2, {"-b", "8"});
  plan.environment.push_back("FAKE_CUDA=none");
  const auto ends = run_gang(plan);
  EXPECT_EQ(exit_code(ends[0]), static_cast<int>(ExitCode::kCannotRun)) << ends[0].output;
  EXPECT_EQ(judge(outcomes_of(ends), {.min_busbw = 1}).decision, Decision::kNotMeasured);
}

TEST(NcclGang, AutoTakesNcclWhereAllRanksHaveItAndFabricElsewhere) {
  GangPlan plan = nccl_gang(2, {"-b", "8", "--backend", "auto"});
  for (const RankEnd& end : run_gang(plan)) {
    const auto report = parse_report(end.report);
    ASSERT_TRUE(report) << end.output;
    EXPECT_EQ(report->backend, "nccl");
  }
  plan.rank_environment = [](std::size_t rank) {
    return std::vector<std::string>{rank == 1 ? "FAKE_CUDA=none" : "FAKE_CUDA=one"};
  };
  for (const RankEnd& end : run_gang(plan)) {
    const auto report = parse_report(end.report);
    ASSERT_TRUE(report) << end.output;
    EXPECT_EQ(report->backend, "fabric");
  }
}

#ifdef MUSTER_BENCH_PROGRAM
std::string table_of_slots(const char* count, const char* devices, int expected_code) {
  GangPlan plan = nccl_gang(1, {"-b", "1M", "-n", "2", "-g", count});
  plan.program = MUSTER_BENCH_PROGRAM;
  plan.reports = false;
  plan.environment.push_back(std::string("FAKE_CUDA=") + devices);
  const auto ends = run_gang(plan);
  EXPECT_EQ(exit_code(ends[0]), expected_code) << ends[0].output;
  return ends[0].output;
}

TEST(NcclGang, EachSlotOfAProcessTakesAGpuOfItsOwn) {
  const std::string output = table_of_slots("3", "3", 0);
  for (const char* device : {"GPU 0 Fake GPU", "GPU 1 Fake GPU", "GPU 2 Fake GPU"}) {
    EXPECT_NE(output.find(device), std::string::npos) << output;
  }
  EXPECT_NE(output.find("# Out of bounds values : 0 OK"), std::string::npos) << output;
}

TEST(NcclGang, MoreSlotsThanGpusAreRefusedWithTheLineToWrite) {
  const std::string output = table_of_slots("3", "2", static_cast<int>(ExitCode::kUsage));
  EXPECT_NE(output.find("a task sees 2 GPUs: write -g 2"), std::string::npos) << output;
}
#endif

}  // namespace
}  // namespace muster::bench::testing
