#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "collectives-bench/exit_code.h"
#include "tests/collectives-bench/bench_gang.h"

namespace muster::bench::testing {
namespace {

GangPlan fabric_gang(std::size_t size, std::vector<std::string> arguments) {
  GangPlan plan;
  plan.size = size;
  plan.arguments = {"all_reduce", "--backend", "fabric", "--deadline", "30"};
  plan.arguments.insert(plan.arguments.end(), arguments.begin(), arguments.end());
  plan.environment = {"MUSTER_MODULE_DIR=" MUSTER_TEST_MODULES};
  return plan;
}

int exit_code(const RankEnd& end) {
  return WIFEXITED(end.wait_status) ? WEXITSTATUS(end.wait_status)
                                    : 128 + WTERMSIG(end.wait_status);
}

// All ranks ended well, and every verified element was right.
void expect_right(const std::vector<RankEnd>& ends, std::size_t rows) {
  for (const RankEnd& end : ends) {
    EXPECT_EQ(exit_code(end), 0) << end.output;
    const auto report = parse_report(end.report);
    ASSERT_TRUE(report) << end.report;
    EXPECT_FALSE(report->error) << end.output;
    ASSERT_EQ(report->rows.size(), rows);
    for (const Row& row : report->rows) {
      EXPECT_EQ(row.out_of_place.wrong, 0u) << row.bytes;
      EXPECT_EQ(row.in_place.wrong, 0u) << row.bytes;
      EXPECT_GT(row.out_of_place.time_us, 0) << row.bytes;
    }
  }
}

TEST(FabricGang, SumsRightWithOneToFourRanks) {
  for (const std::size_t size : {1u, 2u, 3u, 4u}) {
    SCOPED_TRACE(size);
    expect_right(run_gang(fabric_gang(size, {"-b", "64K", "-e", "4M", "-f", "8", "-n", "2"})), 3);
  }
}

TEST(FabricGang, SumsRightWhenTheBufferDoesNotDivide) {
  // 2 elements for 4 ranks; 3; then sizes that leave uneven chunks and slices.
  expect_right(run_gang(fabric_gang(4, {"-b", "8", "-e", "60", "-i", "4", "-n", "3"})), 14);
  expect_right(run_gang(fabric_gang(3, {"-b", "2097164", "-n", "2"})), 1);
}

GangPlan gang_of(Operation operation, std::size_t size, std::vector<std::string> arguments) {
  GangPlan plan = fabric_gang(size, std::move(arguments));
  plan.arguments.front() = to_string(operation);
  return plan;
}

// 3 ranks do not divide the sizes; the largest has more slices than the window holds. Other numbers
// of ranks are played in memory, see transfer_plan_test.cc.
TEST(FabricGang, EveryOperationGivesWhatItMustOutOfPlaceAndInPlace) {
  for (const Operation operation : kOperations) {
    for (const std::size_t size : {2u, 3u}) {
      SCOPED_TRACE(std::string(to_string(operation)) + " of " + std::to_string(size));
      const std::string root = std::to_string(has_root(operation) ? size - 1 : 0);
      const auto ends = run_gang(
          gang_of(operation, size, {"-b", "1K", "-e", "8M", "-f", "90", "-n", "2", "-r", root}));
      for (const RankEnd& end : ends) {
        ASSERT_EQ(exit_code(end), 0) << end.output;
        const auto report = parse_report(end.report);
        ASSERT_TRUE(report) << end.report;
        EXPECT_EQ(report->operation, operation);
        ASSERT_EQ(report->rows.size(), 3u);
        for (const Row& row : report->rows) {
          EXPECT_EQ(row.out_of_place.wrong, 0u) << row.bytes;
          EXPECT_TRUE(row.out_of_place.iterations);
          EXPECT_EQ(row.has_in_place, runs_in_place(operation));
          if (row.has_in_place) {
            EXPECT_EQ(row.in_place.wrong, 0u) << row.bytes;
          }
        }
      }
    }
  }
}

TEST(FabricGang, OneFlippedBitOfAnyOperationIsSeen) {
  for (const Operation operation : kOperations) {
    SCOPED_TRACE(to_string(operation));
    GangPlan plan = gang_of(operation, 3, {"-b", "64K", "-n", "1"});
    plan.environment.push_back("MUSTER_BENCH_FAULT=corrupt:0");
    const auto ends = run_gang(plan);
    for (const RankEnd& end : ends) {
      EXPECT_EQ(exit_code(end), static_cast<int>(ExitCode::kWrongData)) << end.output;
    }
    const auto report = parse_report(ends[0].report);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->rows[0].out_of_place.wrong, 1u);
  }
}

TEST(FabricGang, MeasuresWhatTheJudgeCallsFit) {
  const auto ends = run_gang(fabric_gang(4, {"-b", "1M", "-n", "2"}));
  const Verdict verdict = judge(outcomes_of(ends), {.min_busbw = 1e-6});
  EXPECT_EQ(verdict.decision, Decision::kGo) << verdict.line;
  EXPECT_GT(verdict.busbw, 0);
  const Verdict slow = judge(outcomes_of(ends), {.min_busbw = 1e6});
  EXPECT_EQ(slow.decision, Decision::kStop) << slow.line;
}

TEST(FabricGang, OneFlippedBitIsWrongDataOnThatRank) {
  GangPlan plan = fabric_gang(3, {"-b", "1M", "-n", "1"});
  plan.environment.push_back("MUSTER_BENCH_FAULT=corrupt:1");
  const auto ends = run_gang(plan);
  for (const RankEnd& end : ends) {
    EXPECT_EQ(exit_code(end), static_cast<int>(ExitCode::kWrongData)) << end.output;
  }
  const Verdict verdict = judge(outcomes_of(ends), {});
  EXPECT_EQ(verdict.decision, Decision::kStop);
  EXPECT_EQ(verdict.culprits, std::vector<std::uint32_t>{1}) << verdict.line;
  EXPECT_EQ(verdict.line,
            "fabric all_reduce 3 ranks gave wrong data: 2 wrong elements on rank 1 (node1)");
}

TEST(FabricGang, ARankThatStopsIsNamedByItsNeighbourAtTheDeadline) {
  GangPlan plan = fabric_gang(3, {"-b", "4M", "--deadline", "3"});
  plan.environment.push_back("MUSTER_BENCH_FAULT=stop:1");
  plan.stuck = 1;
  const TimePoint began = Clock::now();
  const auto ends = run_gang(plan);
  EXPECT_LT(Clock::now() - began, std::chrono::seconds(10));
  EXPECT_TRUE(ends[1].was_stuck);
  EXPECT_EQ(exit_code(ends[0]), static_cast<int>(ExitCode::kDeadline)) << ends[0].output;
  EXPECT_EQ(exit_code(ends[2]), static_cast<int>(ExitCode::kDeadline)) << ends[2].output;
  EXPECT_NE(ends[2].output.find("nothing from rank 1 (node1) in step"), std::string::npos)
      << ends[2].output;
  const Verdict verdict = judge(outcomes_of(ends), {});
  EXPECT_EQ(verdict.decision, Decision::kStop);
  EXPECT_EQ(verdict.culprits, std::vector<std::uint32_t>{1}) << verdict.line;
}

// libfabric tells nobody that a peer is gone: the others end by their own deadline, and whoever
// watches the gang ends them earlier.
TEST(FabricGang, ARankThatDiesIsNamed) {
  GangPlan plan = fabric_gang(3, {"-b", "4M", "--deadline", "3"});
  plan.environment.push_back("MUSTER_BENCH_FAULT=crash:1");
  const auto ends = run_gang(plan);
  EXPECT_EQ(exit_code(ends[1]), 128 + SIGKILL);
  const Verdict verdict = judge(outcomes_of(ends), {});
  EXPECT_NE(verdict.decision, Decision::kGo);
  EXPECT_NE(verdict.line.find("rank 1 (node1)"), std::string::npos) << verdict.line;
}

TEST(FabricGang, AMissingModuleIsOneClearLine) {
  GangPlan plan = fabric_gang(2, {"-b", "1M"});
  plan.environment = {"MUSTER_MODULE_DIR=/nowhere"};
  for (const RankEnd& end : run_gang(plan)) {
    EXPECT_EQ(exit_code(end), static_cast<int>(ExitCode::kCannotRun));
    EXPECT_NE(end.output.find("no muster-bench-fabric.so in /nowhere"), std::string::npos)
        << end.output;
  }
}

TEST(FabricGang, AnUnknownInterfaceIsNamedWithThoseThatExist) {
  for (const RankEnd& end : run_gang(fabric_gang(2, {"-b", "1M", "--interface", "nope0"}))) {
    EXPECT_EQ(exit_code(end), static_cast<int>(ExitCode::kUsage));
    EXPECT_NE(end.output.find("--interface nope0"), std::string::npos) << end.output;
    EXPECT_NE(end.output.find("lo 127.0.0.1"), std::string::npos) << end.output;
  }
}

TEST(FabricGang, ALibraryThatIsNotThereIsCouldNotMeasure) {
  GangPlan plan = fabric_gang(2, {"-b", "1M"});
  plan.environment.push_back("MUSTER_LIBFABRIC=/nowhere/libfabric.so.1");
  const auto ends = run_gang(plan);
  const Verdict verdict = judge(outcomes_of(ends), {});
  EXPECT_EQ(verdict.decision, Decision::kNotMeasured) << verdict.line;
  EXPECT_NE(verdict.line.find("/nowhere/libfabric.so.1"), std::string::npos) << verdict.line;
}

TEST(FabricGang, PrintsTheTableOnceFromRankZero) {
  GangPlan plan = fabric_gang(2, {"-b", "1K", "-e", "4K", "-f", "2", "-n", "1"});
  plan.reports = false;
  const auto ends = run_gang(plan);
  EXPECT_NE(ends[0].output.find("# Out of bounds values : 0 OK"), std::string::npos)
      << ends[0].output;
  EXPECT_EQ(ends[1].output, "");
  EXPECT_EQ(ends[1].report, "");
}

std::string file_text(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

TEST(FabricGang, SaysWhoIsThereAndWhoWasSlowest) {
  GangPlan plan = fabric_gang(3, {"-b", "1K", "-n", "4"});
  plan.reports = false;
  const std::string output = run_gang(plan)[0].output;
  EXPECT_NE(output.find("# world: 3 ranks on 3 nodes\n"), std::string::npos) << output;
  EXPECT_NE(output.find("on node2: host memory, lo 127.0.0.1\n"), std::string::npos) << output;
  EXPECT_NE(output.find("slowest"), std::string::npos) << output;
  EXPECT_EQ(output.find('\r'), std::string::npos) << "progress belongs on a terminal only";
}

// stdout is a file here: the terminal has the rows, the one under way, and the bar.
TEST(FabricGang, ShowsALiveTableAndABarOnATerminalFromRankZeroAlone) {
  GangPlan plan = fabric_gang(2, {"-b", "1K", "-e", "2K", "-f", "2", "-n", "1"});
  plan.reports = false;
  plan.terminal = true;
  plan.environment.push_back("TERM=xterm");
  const auto ends = run_gang(plan);
  const std::string& screen = ends[0].screen;
  EXPECT_NE(screen.find("] 1 of 12: 1 KiB, warm-up, 0 s"), std::string::npos) << screen;
  EXPECT_NE(screen.find("] 12 of 12: 2 KiB, verified in place, "), std::string::npos) << screen;
  EXPECT_NE(screen.find(" s left"), std::string::npos) << screen;
  EXPECT_NE(screen.find("#         size         count"), std::string::npos) << screen;
  EXPECT_NE(screen.find("          1024           256     float     sum"), std::string::npos)
      << screen;
  EXPECT_TRUE(screen.ends_with("A\x1b[J")) << "all of it is taken away at the end";
  EXPECT_EQ(ends[1].screen, "");
  EXPECT_NE(ends[0].output.find("# Out of bounds values : 0 OK"), std::string::npos);
  EXPECT_EQ(ends[0].output.find('\x1b'), std::string::npos) << "nothing of it in a file";
}

// What a person sees when all has been written to a terminal that knows what LiveView uses.
std::vector<std::string> lines_that_stay(const std::string& stream) {
  std::vector<std::string> lines(1);
  std::size_t row = 0;
  std::size_t column = 0;
  for (std::size_t at = 0; at < stream.size(); ++at) {
    const char c = stream[at];
    if (c == '\r') {
      column = 0;
    } else if (c == '\n') {
      if (++row == lines.size()) lines.emplace_back();
    } else if (stream.compare(at, 3, "\x1b[J") == 0) {
      lines[row].resize(column);
      lines.resize(row + 1);
      at += 2;
    } else if (c == '\x1b') {
      const std::size_t end = stream.find('A', at);
      row -= std::stoul(stream.substr(at + 2, end - at - 2));
      at = end;
    } else {
      lines[row].resize(std::max(lines[row].size(), column + 1), ' ');
      lines[row][column++] = c;
    }
  }
  return lines;
}

TEST(FabricGang, OnATerminalForBothStreamsTheTableStaysAndNothingOfTheBar) {
  GangPlan plan = fabric_gang(2, {"-b", "1K", "-e", "16K", "-f", "2", "-n", "1"});
  plan.reports = false;
  plan.terminal = true;
  plan.terminal_output = true;
  plan.environment.push_back("TERM=xterm");
  const std::string screen = run_gang(plan)[0].screen;
  EXPECT_NE(screen.find("] 1 of 30: "), std::string::npos) << screen;
  EXPECT_NE(screen.find("..."), std::string::npos) << "a row under way: " << screen;
  std::vector<std::string> sizes;
  for (const std::string& line : lines_that_stay(screen)) {
    EXPECT_EQ(line.find(" of 30: "), std::string::npos) << line;
    if (line.starts_with("      ")) sizes.push_back(line.substr(0, line.find("  ", 12)));
  }
  ASSERT_EQ(sizes.size(), 5u) << screen;
  for (std::size_t i = 0; i < sizes.size(); ++i) {
    EXPECT_TRUE(sizes[i].ends_with(" " + std::to_string(1024 << i))) << sizes[i];
  }
}

TEST(FabricGang, ADumbTerminalGetsNoProgress) {
  GangPlan plan = fabric_gang(2, {"-b", "1K", "-n", "1"});
  plan.reports = false;
  plan.terminal = true;
  plan.environment.push_back("TERM=dumb");
  EXPECT_EQ(run_gang(plan)[0].screen, "");
}

TEST(FabricGang, AFailureStandsBelowNothingOfTheProgress) {
  GangPlan plan = fabric_gang(2, {"-b", "1M", "-n", "1", "--deadline", "2"});
  plan.reports = false;
  plan.terminal = true;
  plan.stuck = 1;
  plan.environment.insert(plan.environment.end(), {"TERM=xterm", "MUSTER_BENCH_FAULT=stop:1"});
  const std::string screen = run_gang(plan)[0].screen;
  const std::size_t line = screen.find("muster-bench: rank 0 (node0): ");
  ASSERT_NE(line, std::string::npos) << screen;
  EXPECT_TRUE(screen.substr(0, line).ends_with("\x1b[J")) << screen;
}

// What the rows of rank 0's report are, and that every rank's data were right.
std::vector<Row> right_rows(const GangPlan& plan) {
  const auto ends = run_gang(plan);
  for (const RankEnd& end : ends) {
    EXPECT_EQ(exit_code(end), 0) << end.output;
    const auto report = parse_report(end.report);
    EXPECT_TRUE(report) << end.report;
    if (!report) return {};
    for (const Row& row : report->rows) EXPECT_EQ(row.out_of_place.wrong, 0u) << row.bytes;
  }
  return parse_report(ends[0].report)->rows;
}

// Up to 9 MiB: more slices than are in flight, so that they overtake each other and operations.
TEST(FabricGang, WritesIntoThePeersMemoryArriveWhole) {
  for (const Operation operation : {Operation::kSendRecv, Operation::kPingPong}) {
    for (const std::size_t size : {1u, 2u, 3u, 4u}) {
      SCOPED_TRACE(std::string(to_string(operation)) + " of " + std::to_string(size));
      EXPECT_EQ(right_rows(gang_of(operation, size,
                                   {"-b", "8", "-e", "9M", "-f", "96", "-n", "5", "-c", "3",
                                    "--transport", "rma"}))
                    .size(),
                4u);
    }
  }
}

TEST(FabricGang, AFlippedBitOfAWriteIsSeen) {
  GangPlan plan = gang_of(Operation::kPingPong, 2, {"-b", "64K", "-n", "1", "--transport", "rma"});
  plan.environment.push_back("MUSTER_BENCH_FAULT=corrupt:0");
  const auto ends = run_gang(plan);
  for (const RankEnd& end : ends) {
    EXPECT_EQ(exit_code(end), static_cast<int>(ExitCode::kWrongData)) << end.output;
  }
  EXPECT_EQ(parse_report(ends[0].report)->rows[0].out_of_place.wrong, 1u);
}

// It stops when half of the question is there, so it cannot have answered.
TEST(FabricGang, AWriterThatStopsIsNamedByWhoWaitsForIt) {
  GangPlan plan =
      gang_of(Operation::kPingPong, 2, {"-b", "4M", "--deadline", "3", "--transport", "rma"});
  plan.environment.push_back("MUSTER_BENCH_FAULT=stop:1");
  plan.stuck = 1;
  const auto ends = run_gang(plan);
  EXPECT_EQ(exit_code(ends[0]), static_cast<int>(ExitCode::kDeadline)) << ends[0].output;
  EXPECT_NE(ends[0].output.find("nothing from rank 1 (node1) in step 2 of 2"), std::string::npos)
      << ends[0].output;
}

TEST(FabricGang, OneNicByNameIsARowThatNamesIt) {
  const auto rows =
      right_rows(fabric_gang(2, {"-b", "64K", "-e", "128K", "-f", "2", "-n", "2", "--nic", "lo"}));
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0].nic, "lo");
}

// This machine has loopback and what else it has. Every NIC that is told by name exists.
TEST(FabricGang, EachNicIsMeasuredAloneAndAllTogether) {
  for (const char* transport : {"tagged", "rma"}) {
    SCOPED_TRACE(transport);
    const auto each =
        right_rows(gang_of(Operation::kSendRecv, 2,
                           {"-b", "3M", "-n", "2", "--nic", "each", "--transport", transport}));
    ASSERT_FALSE(each.empty());
    EXPECT_EQ(each[0].nic, "lo");
    const auto all =
        right_rows(gang_of(Operation::kSendRecv, 2,
                           {"-b", "3M", "-n", "2", "--nic", "all", "--transport", transport}));
    ASSERT_EQ(all.size(), 1u);
    EXPECT_EQ(all[0].nic, each.size() == 1 ? "lo" : "all " + std::to_string(each.size()));
  }
}

TEST(FabricGang, AnUnknownNicIsNamedWithThoseThatExist) {
  for (const RankEnd& end : run_gang(fabric_gang(2, {"-b", "1K", "--nic", "nope0"}))) {
    EXPECT_EQ(exit_code(end), static_cast<int>(ExitCode::kUsage));
    EXPECT_NE(end.output.find("--nic nope0: there is lo"), std::string::npos) << end.output;
  }
}

TEST(FabricGang, APingpongSaysWhatItsTimeIsAndWhoWaits) {
  GangPlan plan = gang_of(Operation::kPingPong, 3, {"-b", "1K", "-n", "2"});
  plan.reports = false;
  const std::string output = run_gang(plan)[0].output;
  EXPECT_NE(output.find("time is half of the way there and back\n"), std::string::npos) << output;
  EXPECT_NE(output.find("# pingpong: rank 2 has no partner and waits\n"), std::string::npos)
      << output;
}

TEST(FabricGang, ARankWithOtherOptionsIsNamedByAll) {
  GangPlan plan = fabric_gang(3, {"-b", "1K"});
  plan.rank_arguments = [](std::size_t rank) {
    return rank == 2 ? std::vector<std::string>{"-n", "7"} : std::vector<std::string>{};
  };
  for (const RankEnd& end : run_gang(plan)) {
    EXPECT_EQ(exit_code(end), static_cast<int>(ExitCode::kUsage)) << end.output;
    EXPECT_NE(end.output.find("rank 2 (node2) was asked for"), std::string::npos) << end.output;
  }
}

TEST(FabricGang, ARootThatIsNotThereIsRefused) {
  for (const RankEnd& end : run_gang(gang_of(Operation::kReduce, 2, {"-b", "1K", "-r", "2"}))) {
    EXPECT_EQ(exit_code(end), static_cast<int>(ExitCode::kUsage));
    EXPECT_NE(end.output.find("-r 2: the world has 2 ranks"), std::string::npos) << end.output;
  }
}

TEST(FabricGang, WritesJsonAndCsvWithoutTheEnvironment) {
  const std::string base = ::testing::TempDir() + "muster_bench_" + std::to_string(::getpid());
  GangPlan plan = fabric_gang(2, {"-b", "1K", "-e", "4K", "-f", "2", "-n", "2", "--json",
                                  base + ".json", "--csv", base + ".csv"});
  plan.reports = false;
  plan.environment.insert(plan.environment.end(), {"MY_TOKEN=hunter2", "NCCL_ALGO=Ring"});
  const auto ends = run_gang(plan);
  EXPECT_EQ(exit_code(ends[0]), 0) << ends[0].output;
  EXPECT_NE(ends[0].output.find("# Out of bounds values : 0 OK"), std::string::npos);
  const std::string json = file_text(base + ".json");
  EXPECT_NE(json.find("\"NCCL_ALGO\":\"Ring\""), std::string::npos) << json;
  EXPECT_EQ(json.find("hunter2"), std::string::npos) << json;
  EXPECT_EQ(json.find("MUSTER_MODULE_DIR"), std::string::npos) << json;
  const std::string csv = file_text(base + ".csv");
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1 + 3 * 2) << csv;
  std::remove((base + ".json").c_str());
  std::remove((base + ".csv").c_str());
}

TEST(FabricGang, AFileThatCannotBeWrittenStopsAllBeforeAnythingIsMeasured) {
  GangPlan plan = fabric_gang(2, {"-b", "1K", "--json", "/nowhere/result.json"});
  plan.reports = false;
  for (const RankEnd& end : run_gang(plan)) {
    EXPECT_EQ(exit_code(end), static_cast<int>(ExitCode::kUsage));
    EXPECT_NE(end.output.find("--json /nowhere/result.json: No such file"), std::string::npos)
        << end.output;
    EXPECT_EQ(end.output.find("out-of-place"), std::string::npos) << end.output;
  }
}

TEST(FabricGang, PairsMeasureAtOnceAndAnOddNodeByItself) {
  GangPlan plan = fabric_gang(5, {"-b", "64K", "-n", "2", "--split", "pair"});
  plan.reports = false;
  const auto ends = run_gang(plan);
  for (const RankEnd& end : ends) EXPECT_EQ(exit_code(end), 0) << end.output;
  const std::string& output = ends[0].output;
  EXPECT_NE(output.find("# split by pair: 3 groups at once\n"), std::string::npos) << output;
  EXPECT_TRUE(output.find("  nodes 0-1 (node0, node1)\n") != std::string::npos ||
              output.find("  nodes 2-3 (node2, node3)\n") != std::string::npos)
      << output;
  EXPECT_NE(output.find("# Out of bounds values : 0 OK"), std::string::npos) << output;
}

TEST(FabricGang, WrongDataInOneGroupOfASplitIsEverybodysExitCode) {
  GangPlan plan = fabric_gang(4, {"-b", "64K", "-n", "1", "--split", "pair"});
  plan.environment.push_back("MUSTER_BENCH_FAULT=corrupt:1");  // rank 1 of each pair
  for (const RankEnd& end : run_gang(plan)) {
    EXPECT_EQ(exit_code(end), static_cast<int>(ExitCode::kWrongData)) << end.output;
  }
}

}  // namespace
}  // namespace muster::bench::testing
