#include "launcher/output/spill.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <set>

#include "launcher/output/frames.h"
#include "launcher/output/writer_child.h"
#include "tests/launcher/output/carrier_fixture.h"

namespace muster::output {
namespace {

constexpr int kLines = 50'000;
// Of a line, without prefix. With its newline it divides a page, so that no read of a pipe ends
// inside a line, which would be shown in two pieces if the worker then had to wait for a processor.
constexpr int kBytes = 63;

// A worker floods a destination that stands still, and goes on all the same.
class SpillTest : public CarrierTest {
 protected:
  void SetUp() override {
    CarrierTest::SetUp();
    options_.stall_limit = 100ms;
    options_.spill.path = directory_ / "muster-4711.0.0-99-";
    options_.spill.host = "node7";
  }

  void start_flood() {
    go_ = directory_.fifo("go");
    told_ = directory_ / "told";
    start({{"flood", std::to_string(kLines), std::to_string(kBytes), "tell-pid", told_,
            "await-fifo", go_}});
  }
  bool flood_is_over() {
    return run_until(io_, [this] { return !contents(told_).empty(); });
  }
  bool finish_flood() {
    const Fd release(::open(go_.c_str(), O_RDWR | O_CLOEXEC));
    return ::write(release.get(), "x", 1) == 1 && finish();
  }
  std::string spilled(const std::string& end) const { return options_.spill.path + end; }
  Strings names_of_spilled() const {
    Strings names;
    for (const auto& entry : std::filesystem::directory_iterator(directory_ / ""))
      if (entry.path().filename().string().starts_with("muster-")) names.push_back(entry.path());
    return names;
  }

  static std::set<pid_t> writers();
  pid_t new_writer() const;

  std::string go_, told_;
  std::set<pid_t> writers_before_ = writers();
};

// The number of lines in our notice of that kind; 0 if there is none.
int number_in(const Strings& lines, const std::string& kind) {
  for (const std::string& line : lines) {
    const auto begin = line.find("muster: ");
    if (begin == std::string::npos || line.find(kind) == std::string::npos) continue;
    return std::atoi(line.c_str() + begin + 8);
  }
  return 0;
}

// The numbers of child_zoo's lines, in order.
std::vector<int> numbers_of(const Strings& lines) {
  std::vector<int> numbers;
  for (const std::string& line : lines) {
    const auto begin = line.find("line ");
    if (begin != std::string::npos && line.find("muster: ") == std::string::npos)
      numbers.push_back(std::atoi(line.c_str() + begin + 5));
  }
  return numbers;
}

TEST_F(SpillTest, LinesOfAStuckConsoleArePutAsideAndNoneIsLost) {
  start_flood();
  ASSERT_TRUE(flood_is_over()) << "the worker went on";
  ASSERT_TRUE(finish_flood());
  const std::string path = spilled("attempt_0-rank_10.out");
  const Strings shown = lines_of(out_);
  const Strings aside = lines_of(contents(path));
  ASSERT_GT(aside.size(), 10'000U);
  const auto notice =
      std::find(shown.begin(), shown.end(),
                "[node7 10] muster: " + std::to_string(aside.size()) +
                    " lines put aside in node7:" + path + ", the output did not keep up");
  ASSERT_NE(notice, shown.end());
  EXPECT_EQ(aside.front().substr(0, 16), "[node7 10] line ");
  Strings all(shown.begin(), notice);
  all.insert(all.end(), aside.begin(), aside.end());
  all.insert(all.end(), notice + 1, shown.end());
  const std::vector<int> numbers = numbers_of(all);
  ASSERT_EQ(numbers.size(), static_cast<std::size_t>(kLines));
  for (int i = 0; i < kLines; ++i) ASSERT_EQ(numbers[static_cast<std::size_t>(i)], i);
  EXPECT_EQ(carrier_->dropped_lines(), 0U);
  EXPECT_EQ(names_of_spilled(), Strings{path});
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 07777, 0600U);
  EXPECT_EQ(err_, "");
}

TEST_F(SpillTest, ALogThatStandsStillIsPutAsideToo) {
  options_.directory = directory_ / "logs";
  options_.route = Route{.console = false, .file = true};
  std::filesystem::create_directories(directory_ / "logs/attempt_0/10");
  const std::string log = directory_.fifo("logs/attempt_0/10/stdout.log");  // its open blocks
  start_flood();
  ASSERT_TRUE(flood_is_over());
  Fd reader(::open(log.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  std::swap(reader, out_read_);  // for collect_all
  ASSERT_TRUE(finish_flood());
  const std::string path = spilled("attempt_0-rank_10.out.log");
  const Strings aside = lines_of(contents(path));
  ASSERT_GT(aside.size(), 10'000U);
  EXPECT_EQ(aside.front().substr(0, 5), "line ") << "as in the log, without prefix";
  EXPECT_EQ(number_in(lines_of(out_), " lines put aside in node7:" + path + ","),
            static_cast<int>(aside.size()));
  EXPECT_EQ(numbers_of(lines_of(out_)).back(), kLines - 1);
}

TEST_F(SpillTest, BeyondTheLimitLinesAreDroppedAndCounted) {
  options_.spill.limit = 1'000'000;
  start_flood();
  ASSERT_TRUE(flood_is_over());
  ASSERT_TRUE(finish_flood());
  const std::string text = contents(spilled("attempt_0-rank_10.out"));
  EXPECT_LE(text.size(), options_.spill.limit);
  EXPECT_GT(text.size(), options_.spill.limit - 2 * kBytes);
  const Strings shown = lines_of(out_);
  EXPECT_EQ(number_in(shown, " put aside in "), static_cast<int>(lines_of(text).size()));
  const int dropped = number_in(shown, " dropped here");
  EXPECT_EQ(dropped, static_cast<int>(carrier_->dropped_lines()));
  EXPECT_GT(dropped, 0);
  EXPECT_EQ(numbers_of(shown).size() + lines_of(text).size() + carrier_->dropped_lines(),
            static_cast<std::size_t>(kLines));
  EXPECT_EQ(numbers_of(shown).back(), kLines - 1);
}

TEST_F(SpillTest, AFileThatCannotBeMadeLeavesTheCountAsItIsWithoutIt) {
  options_.spill.path = directory_ / "none/muster-";
  start_flood();
  ASSERT_TRUE(flood_is_over());
  ASSERT_TRUE(finish_flood());
  const Strings shown = lines_of(out_);
  EXPECT_EQ(number_in(shown, " put aside in "), 0);
  EXPECT_EQ(number_in(shown, " dropped here"), static_cast<int>(carrier_->dropped_lines()));
  EXPECT_EQ(numbers_of(shown).size() + carrier_->dropped_lines(), static_cast<std::size_t>(kLines));
  EXPECT_EQ(err_, "muster: node7: lines are no longer put aside: make " +
                      spilled("attempt_0-rank_10.out") + ": No such file or directory\n");
}

TEST_F(SpillTest, WhatIsThereAlreadyIsNotTouched) {
  const std::string precious = directory_ / "precious";
  std::ofstream(precious) << "mine";
  ASSERT_EQ(::symlink(precious.c_str(), spilled("attempt_0-rank_10.out").c_str()), 0);
  start_flood();
  ASSERT_TRUE(flood_is_over());
  ASSERT_TRUE(finish_flood());
  EXPECT_EQ(contents(precious), "mine");
  EXPECT_NE(err_.find("File exists"), std::string::npos) << err_;
  EXPECT_GT(carrier_->dropped_lines(), 0U);
}

// As a full file system, for the child that writes the file.
TEST_F(SpillTest, WhatCouldNotBeWrittenIsCountedAsDropped) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit little{1'000'000, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &little), 0);
  start_flood();
  const bool over = flood_is_over();
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  ASSERT_TRUE(over);
  ASSERT_TRUE(finish_flood());
  const std::string path = spilled("attempt_0-rank_10.out");
  const std::string text = contents(path);
  EXPECT_EQ(text.size(), 1'000'000U);
  const auto whole = static_cast<int>(std::count(text.begin(), text.end(), '\n'));
  const Strings shown = lines_of(out_);
  EXPECT_EQ(number_in(shown, " put aside in "), whole);
  EXPECT_EQ(number_in(shown, " dropped here"), static_cast<int>(carrier_->dropped_lines()));
  EXPECT_EQ(numbers_of(shown).size() + static_cast<std::size_t>(whole) + carrier_->dropped_lines(),
            static_cast<std::size_t>(kLines));
  EXPECT_EQ(err_, "muster: node7: write " + path + ": File too large; it holds " +
                      std::to_string(whole) + " lines that were put aside\n");
}

// The writer child that this test has forked; 0 if there is none.
pid_t SpillTest::new_writer() const {
  const std::set<pid_t> now = writers();
  const auto found = std::find_if(now.begin(), now.end(),
                                  [this](pid_t pid) { return !writers_before_.contains(pid); });
  return found == now.end() ? 0 : *found;
}

std::set<pid_t> SpillTest::writers() {
  std::set<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    if (contents(entry.path() / "comm") != "muster-writer\n") continue;
    std::ifstream status(entry.path() / "stat");
    std::string word;
    for (int i = 0; i < 4; ++i) status >> word;
    if (word == std::to_string(::getpid())) found.insert(std::stoi(entry.path().filename()));
  }
  return found;
}

TEST_F(SpillTest, FilesThatStandStillThemselvesHoldUpNobody) {
  options_.spill.stall_limit = 100ms;
  start_flood();
  pid_t child = 0;
  ASSERT_TRUE(run_until(io_, [&] { return (child = new_writer()) != 0; }));
  ASSERT_EQ(::kill(child, SIGSTOP), 0);
  EXPECT_TRUE(flood_is_over()) << "the worker went on";
  EXPECT_GT(carrier_->dropped_lines(), 0U);
  ASSERT_EQ(::kill(child, SIGCONT), 0);
  ASSERT_TRUE(finish_flood());
  EXPECT_NE(err_.find("muster: node7: lines that are put aside may be missing"), std::string::npos)
      << err_;
  const Strings shown = lines_of(out_);
  const Strings aside = lines_of(contents(spilled("attempt_0-rank_10.out")));
  EXPECT_EQ(number_in(shown, " put aside in "), static_cast<int>(aside.size()));
  EXPECT_EQ(numbers_of(shown).size() + aside.size() + carrier_->dropped_lines(),
            static_cast<std::size_t>(kLines));
}

TEST_F(SpillTest, AWriterThatStandsStillAtTheEndIsLeftBehind) {
  options_.spill.stall_limit = 100ms;
  options_.end_limit = 200ms;
  start_flood();
  ASSERT_TRUE(flood_is_over());
  const pid_t child = new_writer();
  ASSERT_NE(child, 0);
  ASSERT_EQ(::kill(child, SIGSTOP), 0);
  EXPECT_TRUE(finish_flood());
  EXPECT_NE(err_.find("the file writer did not end in time"), std::string::npos) << err_;
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  EXPECT_EQ(::waitpid(child, nullptr, 0), child);
}

TEST_F(SpillTest, NothingIsMadeBeforeItIsNeeded) {
  start({{"flood", "5000", "90"}});
  ASSERT_TRUE(run_until(io_, [this] {
    collect_all();
    return recorder_.finished;
  }));
  EXPECT_EQ(new_writer(), 0);
  ASSERT_TRUE(end_carrier());
  EXPECT_EQ(names_of_spilled(), Strings{});
}

TEST(Spill, CountsWhatWasPutThereSinceItWasLastAsked) {
  asio::io_context io{1};
  const process::TempDirectory directory;
  Spill spill(
      io, {.path = directory / "", .host = "node7"}, [] {}, nullptr);
  EXPECT_EQ(spill.settle("a").aside, 0U);
  EXPECT_TRUE(spill.put("a", "one\n"));
  EXPECT_TRUE(spill.put("b", "other\n"));
  EXPECT_TRUE(spill.put("a", "two\n"));
  EXPECT_EQ(spill.settle("a").aside, 2U);
  EXPECT_TRUE(spill.put("a", "three\n"));
  EXPECT_EQ(spill.settle("a").aside, 1U);
  bool done = false;
  spill.finish(process::kDeadline, [&done] { done = true; });
  ASSERT_TRUE(run_until(io, [&done] { return done; }));
  EXPECT_FALSE(spill.put("a", "four\n"));
  EXPECT_EQ(contents(directory / "a"), "one\ntwo\nthree\n");
  EXPECT_EQ(contents(directory / "b"), "other\n");
}

// A file system of 32 MiB that only the forked child sees.
int write_aside_in_small_place(int frames, int errors, const std::string& place) {
  const std::string user = "0 " + std::to_string(::geteuid()) + " 1\n";
  const std::string group = "0 " + std::to_string(::getegid()) + " 1\n";
  if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return 77;
  std::ofstream("/proc/self/uid_map") << user;
  std::ofstream("/proc/self/setgroups") << "deny";
  std::ofstream("/proc/self/gid_map") << group;
  if (::mount("none", place.c_str(), "tmpfs", 0, "size=32m") != 0) return 77;
  return run_writer_child(frames, errors);
}

TEST(Spill, LeavesMostOfWhatIsFreeToOthers) {
  const process::TempDirectory directory;
  int frames[2];
  int errors[2];
  ASSERT_EQ(::pipe2(frames, O_CLOEXEC), 0);
  ASSERT_EQ(::pipe2(errors, O_CLOEXEC), 0);
  Fd frames_read(frames[0]);
  Fd frames_write(frames[1]);
  const Fd errors_read(errors[0]);
  Fd errors_write(errors[1]);
  const auto child =
      process::fork_function("muster-writer", {frames_read.get(), errors_write.get()}, [&] {
        return write_aside_in_small_place(frames_read.get(), errors_write.get(), directory / "");
      });
  ASSERT_TRUE(child.has_value());
  frames_read.reset();
  errors_write.reset();
  std::string orders = encode_frame(FrameKind::kMake, 5, directory / "lines");
  const std::string data = encode_frame(FrameKind::kData, 5, std::string(64 * 1024, 'x'));
  for (int i = 0; i < 512; ++i) orders += data;  // 32 MiB
  ::signal(SIGPIPE, SIG_IGN);
  for (std::size_t sent = 0; sent < orders.size();) {
    const ssize_t size = ::write(frames_write.get(), &orders[sent], orders.size() - sent);
    if (size <= 0) GTEST_SKIP() << "a user namespace with a tmpfs cannot be had here";
    sent += static_cast<std::size_t>(size);
  }
  frames_write.reset();
  char report[512] = {};
  ASSERT_GT(::read(errors_read.get(), report, sizeof report - 1), 0);
  int id = 0;
  int held = 0;
  ASSERT_EQ(std::sscanf(report, "%d %d ", &id, &held), 2) << report;
  EXPECT_EQ(id, 5) << report;
  EXPECT_GE(held, 32) << report;  // 2 MiB
  EXPECT_LE(held, 64);            // an eighth of 32 MiB
  EXPECT_NE(std::string(report).find("/lines: too little is free there"), std::string::npos);
}

}  // namespace
}  // namespace muster::output
