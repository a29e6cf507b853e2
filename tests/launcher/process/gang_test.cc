#include "launcher/process/gang.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <optional>

#include "launcher/process/process_table.h"
#include "tests/launcher/process/zoo.h"

namespace muster::process {
namespace {

using namespace std::chrono_literals;
using Strings = std::vector<std::string>;

bool is_gone(pid_t pid) {
  const auto record = read_process(pid);
  return !record || record->is_zombie();
}

class GangTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(become_subreaper().has_value());
    options_.marker = marker_;
  }

  void start(std::vector<WorkerSpec> workers) {
    gang_.emplace(io_, options_, recorder_, nullptr, nullptr);
    gang_->start(std::move(workers));
  }
  bool until(const std::function<bool()>& met) { return run_until(io_, met); }
  bool finished() {
    return until([this] { return recorder_.finished; });
  }
  WorkerSpec worker(std::uint32_t local_rank, Strings tricks) {
    return zoo_worker(local_rank, std::move(tricks), marker_);
  }
  // The pid that a process wrote to `path`.
  pid_t pid_from(const std::string& path) {
    EXPECT_TRUE(until([&] { return contents(path).find('\n') != std::string::npos; })) << path;
    return std::atoi(contents(path).c_str());
  }
  bool lines_in(const std::string& path, std::size_t count) {
    return until([&] {
      const std::string text = contents(path);
      return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')) >= count;
    });
  }
  void release(const std::string& fifo) {
    const Fd fd(::open(fifo.c_str(), O_RDWR | O_CLOEXEC));
    ASSERT_EQ(::write(fd.get(), "x", 1), 1);
    kept_.push_back(Fd(fd.get() >= 0 ? ::dup(fd.get()) : -1));  // until the reader has it
  }

  asio::io_context io_{1};
  TempDirectory directory_;
  std::string marker_ = make_marker();
  GangOptions options_;
  Recorder recorder_;
  std::optional<Gang> gang_;
  std::vector<Fd> kept_;
};

TEST_F(GangTest, WorkersStartExitAndFinish) {
  start({worker(0, {"exit", "0"}), worker(1, {"exit", "3"}), worker(2, {"die", "SEGV"})});
  ASSERT_TRUE(finished());
  std::sort(recorder_.exits.begin(), recorder_.exits.end());
  EXPECT_EQ(recorder_.exits,
            (Strings{"0: exit code 0", "1: exit code 3", "2: signal 11 (SIGSEGV)"}));
  EXPECT_EQ(recorder_.started.size(), 3U);
  EXPECT_TRUE(recorder_.end.stuck.empty());
  EXPECT_EQ(recorder_.end.escaped_killed, 0U);
  EXPECT_TRUE(own_children().empty()) << "all are reaped";
}

TEST_F(GangTest, AnEmptyGangFinishes) {
  start({});
  EXPECT_TRUE(finished());
}

TEST_F(GangTest, AWorkerThatCannotStartIsToldAndTheOthersRun) {
  WorkerSpec missing = worker(0, {});
  missing.plan.program = "/nowhere/python";
  start({missing, worker(1, {"exit", "0"})});
  ASSERT_TRUE(finished());
  EXPECT_EQ(recorder_.start_failures,
            Strings{"0: exec /nowhere/python: No such file or directory (127)"});
  EXPECT_EQ(recorder_.exits, Strings{"1: exit code 0"});
}

TEST_F(GangTest, StdinIsEmpty) {
  start({WorkerSpec{LocalRank{0}, "rank 0", [] {
                      SpawnPlan plan;
                      plan.program = "/bin/sh";
                      plan.argv = {"sh", "-c", "test -z \"$(cat)\""};
                      return plan;
                    }()}});
  ASSERT_TRUE(finished());
  EXPECT_EQ(recorder_.exits, Strings{"0: exit code 0"});
}

TEST_F(GangTest, SignalsReachEveryWorkerOnce) {
  const std::string log = directory_ / "signals";
  start({worker(0, {"report-signals", log, "append", log, "ready", "wait"}),
         worker(1, {"report-signals", log, "append", log, "ready", "wait"})});
  ASSERT_TRUE(lines_in(log, 2));
  gang_->signal_all(SIGUSR1);
  ASSERT_TRUE(lines_in(log, 4));
  EXPECT_EQ(contents(log), "ready\nready\nsignal 10\nsignal 10\n");
  gang_->hurry();
  ASSERT_TRUE(finished());
}

TEST_F(GangTest, AWorkerThatObeysTermNeedsNoKill) {
  start({worker(0, {"tell-pid", directory_ / "pid", "wait"})});
  pid_from(directory_ / "pid");
  gang_->stop(StopPlan{});
  ASSERT_TRUE(finished());
  EXPECT_EQ(recorder_.exits, Strings{"0: signal 15 (SIGTERM)"});
  EXPECT_TRUE(recorder_.killed_with_left.empty());
}

TEST_F(GangTest, AWorkerThatIgnoresTermIsKilledAtTheGrace) {
  start({worker(0, {"ignore", "TERM", "tell-pid", directory_ / "pid", "wait"})});
  pid_from(directory_ / "pid");
  const TimePoint begin = Clock::now();
  gang_->stop(StopPlan{.grace = 300ms});
  ASSERT_TRUE(finished());
  EXPECT_GE(Clock::now() - begin, 300ms);
  EXPECT_EQ(recorder_.exits, Strings{"0: signal 9 (SIGKILL)"});
  EXPECT_EQ(recorder_.killed_with_left, std::vector<std::size_t>{1});
}

TEST_F(GangTest, AStoppedWorkerStillEnds) {
  start({worker(0, {"tell-pid", directory_ / "pid", "wait"})});
  const pid_t pid = pid_from(directory_ / "pid");
  ::kill(pid, SIGSTOP);
  ASSERT_TRUE(until([pid] { return read_process(pid)->state == 'T'; }));
  gang_->stop(StopPlan{});
  ASSERT_TRUE(finished());
  EXPECT_EQ(recorder_.exits, Strings{"0: signal 15 (SIGTERM)"});
}

TEST_F(GangTest, HurryKillsAtOnce) {
  start({worker(0, {"ignore", "TERM", "tell-pid", directory_ / "pid", "wait"})});
  pid_from(directory_ / "pid");
  gang_->stop(StopPlan{.grace = 3600s});
  gang_->hurry();
  ASSERT_TRUE(finished());
  EXPECT_EQ(recorder_.exits, Strings{"0: signal 9 (SIGKILL)"});
}

TEST_F(GangTest, TheGroupOfAFailedLeaderIsKilledAtOnce) {
  options_.patience = 3600s;
  start({worker(
      0, {"grandchild", directory_ / "pid", "await-fifo", directory_.fifo("go"), "exit", "1"})});
  const pid_t grandchild = pid_from(directory_ / "pid");
  release(directory_ / "go");
  ASSERT_TRUE(finished());
  EXPECT_TRUE(is_gone(grandchild));
  EXPECT_TRUE(own_children().empty()) << "the adopted grandchild is reaped";
}

TEST_F(GangTest, TheGroupOfALeaderThatExitedZeroGetsItsPatienceAndNoMore) {
  options_.patience = 300ms;
  start({worker(
      0, {"grandchild", directory_ / "pid", "await-fifo", directory_.fifo("go"), "exit", "0"})});
  const pid_t grandchild = pid_from(directory_ / "pid");
  release(directory_ / "go");
  ASSERT_TRUE(until([this] { return !recorder_.exits.empty(); }));
  EXPECT_FALSE(is_gone(grandchild));
  ASSERT_TRUE(finished());
  EXPECT_TRUE(is_gone(grandchild));
}

TEST_F(GangTest, ASaverMayFinishAfterItsLeader) {
  const std::string go = directory_.fifo("go");
  start({worker(0, {"saver", go, directory_ / "checkpoint", "exit", "0"})});
  ASSERT_TRUE(until([this] { return !recorder_.exits.empty(); }));
  EXPECT_FALSE(recorder_.finished);
  release(go);
  ASSERT_TRUE(finished());
  EXPECT_EQ(contents(directory_ / "checkpoint"), "saved\n");
}

TEST_F(GangTest, DescendantsThatEscapedAreKilledAtTheEnd) {
  const std::string go = directory_.fifo("go");
  start({worker(0, {"daemon", directory_ / "marked", "clean-daemon", directory_ / "unmarked",
                    "await-fifo", go, "exit", "0"})});
  const pid_t marked = pid_from(directory_ / "marked");
  const pid_t unmarked = pid_from(directory_ / "unmarked");
  release(go);
  ASSERT_TRUE(finished());
  EXPECT_TRUE(is_gone(marked));
  EXPECT_TRUE(is_gone(unmarked));
  EXPECT_EQ(recorder_.end.escaped_killed, 2U);
  for (const ProcessRecord& child : own_children())
    ADD_FAILURE() << "not reaped: " << child.pid << " " << child.state << " group " << child.group
                  << " session " << child.session;
}

TEST_F(GangTest, OrphansAreReapedWhileTheWorkerRuns) {
  WorkerSpec shell = worker(0, {});
  shell.plan.program = "/bin/sh";
  shell.plan.argv = {"sh", "-c",
                     "(sh -c 'echo in the group >> orphans' &)\n"
                     "(setsid sh -c 'echo in its own session >> orphans' &)\n"
                     "read go < go\n"};
  shell.plan.envp.push_back("PATH=/usr/bin:/bin");
  shell.plan.cwd = directory_ / "";
  directory_.fifo("go");
  start({shell});
  ASSERT_TRUE(lines_in(directory_ / "orphans", 2));
  EXPECT_TRUE(until([] { return own_children().size() == 1; })) << "only the leader is left";
  gang_->hurry();
  ASSERT_TRUE(finished());
}

TEST_F(GangTest, HelpersOfTheAgentAreLeftAlone) {
  const auto helper = fork_function("test-helper", {}, [] {
    while (true) ::pause();
    return 0;
  });
  ASSERT_TRUE(helper.has_value());
  const auto ended = fork_function("test-helper", {}, [] { return 5; });
  ASSERT_TRUE(ended.has_value());
  start({worker(0, {"daemon", directory_ / "pid", "exit", "0"})});
  ASSERT_TRUE(finished());
  EXPECT_FALSE(is_gone(helper->pid));
  EXPECT_EQ(reap(ended->pidfd), ExitStatus::exited(5)) << "the reaper stole it";
  ::kill(helper->pid, SIGKILL);
  ASSERT_TRUE(until([&] { return reap(helper->pidfd).has_value(); }));
}

// What runs beside the gangs, --prewarm, outlives each of them and takes nothing of theirs along.
TEST_F(GangTest, AGangBesideOutlivesTheOtherAndSparesIt) {
  GangOptions beside_options;
  beside_options.marker = beside_marker(marker_);
  beside_options.beside = true;
  Recorder beside_recorder;
  Gang beside(io_, beside_options, beside_recorder, nullptr, nullptr);
  beside.start({zoo_worker(
      0, {"daemon", directory_ / "beside-daemon", "tell-pid", directory_ / "beside", "wait"},
      beside_options.marker)});
  const pid_t beside_daemon = pid_from(directory_ / "beside-daemon");
  const pid_t beside_leader = pid_from(directory_ / "beside");
  start({worker(0, {"exit", "0"})});
  ASSERT_TRUE(finished());
  EXPECT_FALSE(is_gone(beside_leader));
  EXPECT_FALSE(is_gone(beside_daemon));

  recorder_ = Recorder{};
  start({worker(0, {"daemon", directory_ / "daemon", "clean-daemon", directory_ / "clean",
                    "tell-pid", directory_ / "pid", "wait"})});
  const pid_t daemon = pid_from(directory_ / "daemon");
  const pid_t clean = pid_from(directory_ / "clean");
  const pid_t leader = pid_from(directory_ / "pid");
  beside.stop(StopPlan{});
  ASSERT_TRUE(until([&] { return beside_recorder.finished; }));
  EXPECT_TRUE(is_gone(beside_leader));
  EXPECT_TRUE(is_gone(beside_daemon));
  for (const pid_t pid : {daemon, clean, leader}) EXPECT_FALSE(is_gone(pid));
  gang_->hurry();
  ASSERT_TRUE(finished());
}

TEST_F(GangTest, DestroyingItKillsWhatIsLeft) {
  start({worker(0, {"ignore", "TERM", "tell-pid", directory_ / "pid", "wait"})});
  const pid_t pid = pid_from(directory_ / "pid");
  gang_.reset();
  EXPECT_TRUE(until([pid] { return is_gone(pid); }));
  EXPECT_FALSE(recorder_.finished);
  EXPECT_EQ(::waitpid(pid, nullptr, 0), pid);
}

// Output that calls back late: the gang must not finish before.
class LateOutput : public GangOutput {
 public:
  Result<Ends> open(LocalRank) override { return Ends{}; }
  void drain(std::function<void()> done) override { waiting = std::move(done); }
  std::function<void()> waiting;
};

TEST_F(GangTest, FinishesOnlyAfterItsOutputIsDrained) {
  LateOutput output;
  Gang gang(io_, options_, recorder_, nullptr, &output);
  gang.start({worker(0, {"exit", "0"})});
  ASSERT_TRUE(until([&] { return output.waiting != nullptr; }));
  EXPECT_FALSE(recorder_.finished);
  output.waiting();
  EXPECT_TRUE(recorder_.finished);
}

}  // namespace
}  // namespace muster::process
