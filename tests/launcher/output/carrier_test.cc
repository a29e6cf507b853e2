#include "launcher/output/carrier.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <optional>

#include "launcher/output/file_writer.h"
#include "tests/launcher/output/carrier_fixture.h"

namespace muster::output {
namespace {

TEST_F(CarrierTest, LinesGetTheirPrefixAndTheirStream) {
  start({{"print", "hello", "print-error", "oops"}});
  ASSERT_TRUE(finish());
  EXPECT_EQ(out_, "[node7 10] hello\n");
  EXPECT_EQ(err_, "[node7 10] oops\n");
  EXPECT_EQ(carrier_->last_lines(LocalRank{0}, Stream::kErr, 5), Strings{"oops"});
}

TEST_F(CarrierTest, APartialLineAppearsWhileTheWorkerLives) {
  const std::string go = directory_.fifo("go");
  start({{"half", "name? ", "await-fifo", go, "print", "thanks"}});
  ASSERT_TRUE(run_until(io_, [this] {
    collect_all();
    return out_ == "[node7 10] name? \n";
  })) << out_;
  const Fd release(::open(go.c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(::write(release.get(), "x", 1), 1);
  ASSERT_TRUE(finish());
  EXPECT_EQ(out_, "[node7 10] name? \n[node7 10] ... thanks\n");
}

TEST_F(CarrierTest, ALastLineWithoutItsEndIsNotLost) {
  start({{"half", "the end", "exit", "1"}});
  ASSERT_TRUE(finish());
  EXPECT_EQ(out_, "[node7 10] the end\n");
}

TEST_F(CarrierTest, WholeLinesOfManyRanksAreNeverMixed) {
  const Strings flood{"flood", "5000", "90"};
  start({flood, flood, flood, flood});
  ASSERT_TRUE(finish());
  std::map<std::string, int> next;
  for (const std::string& line : lines_of(out_)) {
    const std::string rank = line.substr(0, 11);
    const std::string wanted = "line " + std::to_string(next[rank]++) + " ";
    ASSERT_EQ(line.substr(11, wanted.size()), wanted);
    ASSERT_EQ(line.size(), 101U);
  }
  EXPECT_EQ(next.size(), 4U);
  for (const auto& [rank, count] : next) EXPECT_EQ(count, 5000) << rank;
  EXPECT_EQ(carrier_->dropped_lines(), 0U);
}

TEST_F(CarrierTest, AMegabyteLineGoesInMarkedPiecesThatSrunDoesNotTear) {
  start({{"long", "1000000", "print", "after"}});
  ASSERT_TRUE(finish());
  const Strings lines = lines_of(out_);
  std::size_t bytes = 0;
  for (std::size_t i = 0; i + 1 < lines.size(); ++i) {
    ASSERT_LE(lines[i].size() + 1, kSlurmWrite);
    const std::string head = i == 0 ? "[node7 10] " : "[node7 10] ... ";
    ASSERT_EQ(lines[i].substr(0, head.size()), head);
    bytes += lines[i].size() - head.size();
  }
  EXPECT_EQ(bytes, 1000000U);
  EXPECT_EQ(lines.back(), "[node7 10] after");
}

TEST_F(CarrierTest, FilesHoldTheBytesAsTheyAre) {
  options_.directory = directory_ / "logs/run";
  options_.route = Route{.console = false, .file = true};
  start({{"print", "zero", "half", "no end"}, {"print-error", "one"}});
  ASSERT_TRUE(finish());
  EXPECT_EQ(contents(directory_ / "logs/run/attempt_0/10/stdout.log"), "zero\nno end");
  EXPECT_EQ(contents(directory_ / "logs/run/attempt_0/11/stderr.log"), "one\n");
  EXPECT_EQ(out_ + err_, "");
  EXPECT_EQ(errors_, Strings{});
}

TEST_F(CarrierTest, RoutesMayDifferByRankAndStream) {
  options_.directory = directory_ / "logs";
  options_.routes[{LocalRank{1}, Stream::kOut}] = Route{.console = true, .file = true};
  options_.routes[{LocalRank{0}, Stream::kOut}] = Route{.console = false, .file = false};
  start({{"print", "zero", "print-error", "seen"}, {"print", "one"}});
  ASSERT_TRUE(finish());
  EXPECT_EQ(out_, "[node7 11] one\n");
  EXPECT_EQ(err_, "[node7 10] seen\n");
  EXPECT_EQ(contents(directory_ / "logs/attempt_0/11/stdout.log"), "one\n");
  EXPECT_EQ(carrier_->last_lines(LocalRank{0}, Stream::kOut, 5), Strings{"zero"});
}

TEST_F(CarrierTest, ARegularFileAsStdoutIsWrittenByTheWriter) {
  const Fd file(::open((directory_ / "out").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  options_.out_fd = file.get();
  options_.err_fd = file.get();
  start({{"print", "hello", "print-error", "oops"}});
  ASSERT_TRUE(finish());
  Strings lines = lines_of(contents(directory_ / "out"));
  std::sort(lines.begin(), lines.end());
  EXPECT_EQ(lines, (Strings{"[node7 10] hello", "[node7 10] oops"}));
}

TEST_F(CarrierTest, AFileThatCannotBeWrittenIsToldOnceAndNothingElseSuffers) {
  options_.directory = "/proc/no/such/place";
  options_.route.file = true;
  start({{"print", "hello", "print", "again"}});
  ASSERT_TRUE(finish());
  EXPECT_EQ(out_, "[node7 10] hello\n[node7 10] again\n");
  EXPECT_EQ(errors_.size(), 2U) << "one for each of its two streams";
  for (const std::string& line : errors_)
    EXPECT_NE(line.find("open /proc/no/such/place/attempt_0/10/std"), std::string::npos) << line;
}

TEST_F(CarrierTest, FilesWithoutADirectoryAreRefused) {
  options_.route.file = true;
  EXPECT_FALSE(OutputCarrier::create(io_, options_, nullptr).has_value());
}

TEST_F(CarrierTest, AConsoleThatTakesNothingMakesTheWorkerWait) {
  options_.stall_limit = 3600s;
  const std::string told = directory_ / "told";
  start({{"flood", "20000", "90", "tell-pid", told}});
  io_.restart();
  io_.run_for(300ms);  // nobody reads the console
  EXPECT_EQ(contents(told), "") << "the worker waits in its write";
  ASSERT_TRUE(finish());
  EXPECT_EQ(lines_of(out_).size(), 20000U);
  EXPECT_EQ(carrier_->dropped_lines(), 0U);
}

TEST_F(CarrierTest, AConsoleStuckForGoodLosesLinesButSaysHowManyAndKeepsTheLast) {
  options_.stall_limit = 100ms;
  const std::string told = directory_ / "told";
  const std::string go = directory_.fifo("go");
  start({{"flood", "50000", "90", "tell-pid", told, "await-fifo", go}});
  ASSERT_TRUE(run_until(io_, [&] { return !contents(told).empty(); })) << "the worker went on";
  EXPECT_GT(carrier_->dropped_lines(), 10000U);
  const Fd release(::open(go.c_str(), O_RDWR | O_CLOEXEC));
  ASSERT_EQ(::write(release.get(), "x", 1), 1);
  ASSERT_TRUE(finish());
  const Strings lines = lines_of(out_);
  const auto notice = std::find_if(lines.begin(), lines.end(), [](const std::string& line) {
    return line.find("lines dropped here") != std::string::npos;
  });
  ASSERT_NE(notice, lines.end());
  EXPECT_EQ(*notice, "[node7 10] muster: " + std::to_string(carrier_->dropped_lines()) +
                         " lines dropped here, the output did not keep up");
  EXPECT_EQ(lines.size() - 1 + carrier_->dropped_lines(), 50000U);
  EXPECT_EQ(lines.back().substr(0, 21), "[node7 10] line 49999");
}

TEST_F(CarrierTest, AStrayProcessThatHoldsThePipeDoesNotHoldUsUp) {
  options_.end_limit = 100ms;
  create();
  carrier_->begin_attempt(Attempt{0}, {{LocalRank{0}, Rank{10}, "node7"}});
  const auto held_open = carrier_->open(LocalRank{0});
  ASSERT_TRUE(held_open.has_value());
  ASSERT_EQ(::write(held_open->out.get(), "before\nhalf", 11), 11);
  bool drained = false;
  const TimePoint begin = Clock::now();
  carrier_->drain([&drained] { drained = true; });
  ASSERT_TRUE(run_until(io_, [&] { return drained; }));
  EXPECT_GE(Clock::now() - begin, 100ms);
  collect_all();
  EXPECT_EQ(out_, "[node7 10] before\n[node7 10] half\n");
}

TEST_F(CarrierTest, OurOwnLinesGoToStderrWhole) {
  create();
  carrier_->print("muster: first");
  carrier_->print(std::string(3000, 'z'));
  ASSERT_TRUE(end_carrier());
  const Strings lines = lines_of(err_);
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0], "muster: first");
  for (const std::string& line : lines) EXPECT_LE(line.size() + 1, kSlurmWrite);
}

TEST_F(CarrierTest, AClosedConsoleIsNoError) {
  start({{"flood", "5000", "90"}});
  out_read_.reset();
  ASSERT_TRUE(finish());
  EXPECT_EQ(recorder_.exits, Strings{"0: exit code 0"});
}

TEST_F(CarrierTest, TheFlagsOfOurStdoutStayAsTheyAre) {
  start({{"print", "hello"}});
  ASSERT_TRUE(finish());
  EXPECT_EQ(::fcntl(out_write_.get(), F_GETFL) & O_NONBLOCK, 0);
}

TEST(FileWriter, WritesAllThatWasQueuedBeforeItEnds) {
  asio::io_context io{1};
  const process::TempDirectory directory;
  auto writer = FileWriter::start(io, {}, nullptr);
  ASSERT_TRUE(writer.has_value());
  const FileId file = (*writer)->open(directory / "deep/er/events.jsonl");
  std::string expected;
  for (int i = 0; i < 20000; ++i) {
    const std::string line = "event " + std::to_string(i) + "\n";
    ASSERT_TRUE((*writer)->append(file, line));
    expected += line;
  }
  std::optional<bool> written;
  (*writer)->finish(process::kDeadline, [&written](bool all) { written = all; });
  ASSERT_TRUE(run_until(io, [&] { return written.has_value(); }));
  EXPECT_TRUE(*written);
  EXPECT_EQ(contents(directory / "deep/er/events.jsonl"), expected);
}

TEST(FileWriter, AStalledFileSystemFillsTheQueueAndBlocksNobody) {
  asio::io_context io{1};
  const process::TempDirectory directory;
  const std::string stalled =
      directory.fifo("stalled");  // its open blocks the child, as Lustre may
  auto writer = FileWriter::start(io, {}, nullptr);
  ASSERT_TRUE(writer.has_value());
  const FileId file = (*writer)->open(stalled);
  const std::string chunk(64 * 1024, 'x');
  std::size_t taken = 0;
  const bool refused = run_until(io, [&] {
    while ((*writer)->append(file, chunk)) taken += chunk.size();
    return taken >= FileWriter::kQueueLimit - chunk.size();
  });
  EXPECT_TRUE(refused);
  EXPECT_LE((*writer)->outlet().queued(), FileWriter::kQueueLimit);
  std::optional<bool> written;
  (*writer)->finish(200ms, [&written](bool all) { written = all; });
  ASSERT_TRUE(run_until(io, [&] { return written.has_value(); }));
  EXPECT_FALSE(*written);
  const Fd reader(::open(stalled.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));  // lets it go
}

}  // namespace
}  // namespace muster::output
