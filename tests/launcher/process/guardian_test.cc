#include "launcher/process/guardian.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <fstream>
#include <optional>

#include "launcher/process/process_table.h"
#include "launcher/process/signal_desk.h"
#include "tests/launcher/process/zoo.h"

namespace muster::process {
namespace {

using namespace std::chrono_literals;

std::vector<pid_t> marked(const std::string& marker) {
  std::vector<pid_t> pids;
  for (const ProcessRecord& record : own_processes())
    if (!record.is_zombie() && carries_marker(record.pid, marker)) pids.push_back(record.pid);
  return pids;
}

// An agent of the simplest kind: a guardian, a worker with descendants of every sort, a loop.
int run_agent(const std::string& marker, const TempDirectory& directory) {
  become_subreaper();
  auto guardian = Guardian::start(marker);
  if (!guardian) return 1;
  std::ofstream(directory / "guardian") << guardian->pid();
  asio::io_context io{1};
  Recorder recorder;
  Gang gang(io, GangOptions{.marker = marker}, recorder, &*guardian, nullptr);
  gang.start({zoo_worker(0,
                         {"grandchild", directory / "grandchild", "daemon", directory / "daemon",
                          "ignore", "TERM", "tell-pid", directory / "leader", "wait"},
                         marker)});
  const std::string aside = beside_marker(marker);
  Gang beside(io, GangOptions{.marker = aside, .beside = true}, recorder, &*guardian, nullptr);
  beside.start({zoo_worker(
      0, {"daemon", directory / "beside-daemon", "tell-pid", directory / "beside", "wait"},
      aside)});
  io.run_for(kDeadline);
  return 0;
}

TEST(Guardian, LeavesNothingWhenTheAgentIsKilled) {
  ASSERT_TRUE(become_subreaper().has_value());
  const TempDirectory directory;
  const std::string marker = make_marker();
  asio::io_context io{1};
  const auto agent = fork_function("test-agent", {}, [&] { return run_agent(marker, directory); });
  ASSERT_TRUE(agent.has_value());
  ASSERT_TRUE(run_until(io, [&] {
    return !contents(directory / "grandchild").empty() && !contents(directory / "daemon").empty() &&
           !contents(directory / "leader").empty() && !contents(directory / "beside").empty() &&
           !contents(directory / "beside-daemon").empty();
  }));
  EXPECT_EQ(marked(marker).size(), 3U);
  EXPECT_EQ(marked(beside_marker(marker)).size(), 2U);
  ::kill(agent->pid, SIGKILL);
  EXPECT_TRUE(run_until(io, [&] { return marked(marker).empty(); }));
  EXPECT_TRUE(run_until(io, [&] { return marked(beside_marker(marker)).empty(); }));
  EXPECT_TRUE(run_until(io, [&] { return reap(agent->pidfd).has_value(); }));
}

// Slurm signals the guardian too when it ends a step whose agent is dead: nobody reads the report.
TEST(Guardian, CleansUpAlthoughASignalCameAfterTheAgentWasGone) {
  ASSERT_TRUE(become_subreaper().has_value());
  const TempDirectory directory;
  const std::string marker = make_marker();
  asio::io_context io{1};
  const auto agent = fork_function("test-agent", {}, [&] { return run_agent(marker, directory); });
  ASSERT_TRUE(agent.has_value());
  ASSERT_TRUE(run_until(io, [&] { return !contents(directory / "leader").empty(); }));
  const pid_t guardian = std::stoi(contents(directory / "guardian"));
  ASSERT_EQ(::kill(guardian, SIGSTOP), 0);
  ::kill(agent->pid, SIGKILL);
  ASSERT_TRUE(run_until(io, [&] { return reap(agent->pidfd).has_value(); }));
  ::kill(guardian, SIGTERM);
  ::kill(guardian, SIGCONT);
  EXPECT_TRUE(run_until(io, [&] { return marked(marker).empty(); }));
  EXPECT_TRUE(run_until(io, [&] { return ::waitpid(guardian, nullptr, WNOHANG) == guardian; }));
}

TEST(Guardian, SurvivesEverySignalButKillAndReportsEach) {
  auto guardian = Guardian::start(make_marker());
  ASSERT_TRUE(guardian.has_value());
  asio::io_context io{1};
  std::vector<int> seen;
  bool lost = false;
  const auto collect = [&](std::size_t count) {
    return run_until(io, [&] {
      for (const int signum : guardian->read_reports(lost)) seen.push_back(signum);
      return seen.size() >= count || lost;
    });
  };
  std::vector<int> sent;
  for (const int signum : {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGCONT, SIGTSTP, SIGSEGV,
                           SIGABRT, SIGPIPE, SIGRTMIN + 1}) {
    ASSERT_EQ(::kill(guardian->pid(), signum), 0);
    sent.push_back(signum);
    ASSERT_TRUE(collect(sent.size())) << signum;
  }
  EXPECT_EQ(seen, sent);
  EXPECT_FALSE(lost);
  guardian->dismiss();
  EXPECT_TRUE(run_until(io, [&] {
    guardian->read_reports(lost);
    return lost;
  }));
}

TEST(Guardian, IsPlacedLikeAWorkerAndHoldsNoStreamOfOurs) {
  auto guardian = Guardian::start(make_marker());
  ASSERT_TRUE(guardian.has_value());
  asio::io_context io{1};
  const std::string fds = "/proc/" + std::to_string(guardian->pid()) + "/fd/";
  for (const char* fd : {"0", "1", "2"})
    EXPECT_TRUE(run_until(io, [&] {
      std::error_code error;
      return std::filesystem::read_symlink(fds + fd, error) == "/dev/null";
    })) << fd;
  const auto record = read_process(guardian->pid());
  ASSERT_TRUE(record.has_value());
  EXPECT_EQ(record->group, guardian->pid());
  EXPECT_EQ(record->session, ::getsid(0));
  guardian->dismiss();
}

class Listener : public SignalObserver {
 public:
  void on_signal(int signum, SignalAction) override { note("got " + signal_name(signum)); }
  void on_forward(int signum) override { note("forward " + signal_name(signum)); }
  void on_guardian_lost() override { note("lost"); }
  std::vector<std::string> notes;

 private:
  void note(std::string text) { notes.push_back(std::move(text)); }
};

class SignalDeskTest : public ::testing::Test {
 protected:
  void SetUp() override {
    auto started = Guardian::start(make_marker());
    ASSERT_TRUE(started.has_value());
    guardian_.emplace(std::move(*started));
    desk_.emplace(io_, &*guardian_, listener_);
  }
  void TearDown() override {
    if (guardian_) guardian_->dismiss();
  }
  // Runs the loop well past the relay's window and gives what was noted.
  std::vector<std::string> notes() {
    io_.restart();
    io_.run_for(350ms);  // longer than SignalRelay::kPatience
    return listener_.notes;
  }

  asio::io_context io_{1};
  Listener listener_;
  std::optional<Guardian> guardian_;
  std::optional<SignalDesk> desk_;
};

using Notes = std::vector<std::string>;

TEST_F(SignalDeskTest, ForwardsASignalThatCameToTheAgentAlone) {
  ::kill(::getpid(), SIGUSR1);
  EXPECT_EQ(notes(), (Notes{"got SIGUSR1", "forward SIGUSR1"}));
}

TEST_F(SignalDeskTest, DoesNotForwardASignalThatCameToAll) {
  ::kill(::getpid(), SIGTERM);
  ::kill(guardian_->pid(), SIGTERM);
  EXPECT_EQ(notes(), Notes{"got SIGTERM"});
}

TEST_F(SignalDeskTest, HearsOfASignalThatCameToTheChildrenAlone) {
  ::kill(guardian_->pid(), SIGUSR2);
  EXPECT_EQ(notes(), Notes{"got SIGUSR2"});
}

TEST_F(SignalDeskTest, ForwardsAtOnceWhenTheGuardianIsGone) {
  ::kill(guardian_->pid(), SIGKILL);
  EXPECT_EQ(notes(), Notes{"lost"});
  ::kill(::getpid(), SIGHUP);
  EXPECT_EQ(notes(), (Notes{"lost", "got SIGHUP", "forward SIGHUP"}));
}

TEST_F(SignalDeskTest, IgnoresWhatTheTableIgnores) {
  ::kill(::getpid(), SIGPIPE);
  ::kill(::getpid(), SIGTTOU);
  ::kill(::getpid(), SIGWINCH);
  EXPECT_EQ(notes(), Notes{});
}

}  // namespace
}  // namespace muster::process
