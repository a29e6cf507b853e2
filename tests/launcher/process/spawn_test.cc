#include "launcher/process/spawn.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/ioprio.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>

#include <nlohmann/json.hpp>

#include "launcher/process/original_limits.h"
#include "tests/launcher/process/zoo.h"

namespace muster::process {
namespace {

void await_readable(const Fd& fd) {
  pollfd waited{fd.get(), POLLIN, 0};
  ASSERT_EQ(::poll(&waited, 1, static_cast<int>(kDeadline.count())), 1);
}

ExitStatus await_exit(const Child& child) {
  await_readable(child.pidfd);
  const auto peeked = peek_exit(child.pidfd);
  const auto reaped = reap(child.pidfd);
  EXPECT_TRUE(peeked.has_value());
  EXPECT_EQ(peeked, reaped);
  return reaped.value_or(ExitStatus::exited(-1));
}

std::optional<ExecFailure> failure_of(const SpawnPlan& plan) {
  auto child = spawn(plan);
  if (!child) {
    ADD_FAILURE() << child.error().message();
    return std::nullopt;
  }
  await_readable(child->exec_report);
  auto refused = read_exec_report(*child, plan);
  await_exit(*child);
  return refused;
}

nlohmann::json description_by(SpawnPlan plan, const std::string& path) {
  plan.argv = {"child_zoo", "describe", path};
  const auto child = spawn(plan);
  EXPECT_TRUE(child.has_value());
  EXPECT_TRUE(await_exit(*child).success());
  return nlohmann::json::parse(contents(path));
}

ExitStatus exit_of(std::vector<std::string> tricks) {
  const auto child = spawn(zoo_plan(std::move(tricks)));
  EXPECT_TRUE(child.has_value());
  return await_exit(*child);
}

TEST(Spawn, ReportsExitCodesAndSignals) {
  EXPECT_EQ(exit_of({"exit", "0"}), ExitStatus::exited(0));
  EXPECT_EQ(exit_of({"exit", "3"}), ExitStatus::exited(3));
  EXPECT_EQ(exit_of({"die", "KILL"}), ExitStatus::killed(SIGKILL));
  EXPECT_EQ(exit_of({"die", "SEGV"}), ExitStatus::killed(SIGSEGV));
}

TEST(Spawn, AMissingProgramIs127AndSaysSo) {
  SpawnPlan plan = zoo_plan({});
  plan.program = "/nowhere/python";
  const auto refused = failure_of(plan);
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->exit_code, 127);
  EXPECT_EQ(refused->text, "exec /nowhere/python: No such file or directory");
}

TEST(Spawn, AFileThatCannotBeExecutedIs126AndSaysWhy) {
  const TempDirectory directory;
  const auto write_file = [&](const std::string& name, const std::string& text, mode_t mode) {
    std::ofstream(directory / name) << text;
    ::chmod((directory / name).c_str(), mode);
    SpawnPlan plan = zoo_plan({});
    plan.program = directory / name;
    return failure_of(plan).value_or(ExecFailure{"started", 0});
  };
  const ExecFailure forbidden = write_file("plain", "x", 0644);
  EXPECT_EQ(forbidden.exit_code, 126);
  EXPECT_NE(forbidden.text.find("Permission denied"), std::string::npos) << forbidden.text;
  const ExecFailure headless = write_file("headless", "echo hello\n", 0755);
  EXPECT_EQ(headless.exit_code, 126);
  EXPECT_NE(headless.text.find("needs #!"), std::string::npos) << headless.text;
  const ExecFailure lost = write_file("lost", "#!/nowhere/python\n", 0755);
  EXPECT_EQ(lost.exit_code, 126);
  EXPECT_NE(lost.text.find("interpreter"), std::string::npos) << lost.text;
}

TEST(Spawn, AMissingDirectoryIsNamed) {
  SpawnPlan plan = zoo_plan({});
  plan.cwd = "/nowhere/at/all";
  const auto refused = failure_of(plan);
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->exit_code, 126);
  EXPECT_EQ(refused->text, "chdir /nowhere/at/all: No such file or directory");
}

TEST(Spawn, RefusesABrokenPlanBeforeAnyFork) {
  EXPECT_FALSE(spawn(SpawnPlan{}).has_value());
  SpawnPlan closed = zoo_plan({});
  closed.fds = {{1, -1}};
  EXPECT_FALSE(spawn(closed).has_value());
}

TEST(Spawn, NoDescriptorOfOursLeaks) {
  const TempDirectory directory;
  const Fd leaky(::open("/dev/null", O_RDONLY));  // without CLOEXEC, as Asio opens its sockets
  const Fd high(::fcntl(leaky.get(), F_DUPFD, 300));
  const auto about = description_by(zoo_plan({}), directory / "about");
  EXPECT_EQ(about["fds"], nlohmann::json::parse("[0, 1, 2]"));
}

TEST(Spawn, FollowsTheDescriptorPlanEvenWhereNumbersCross) {
  const TempDirectory directory;
  const Fd first(::open((directory / "first").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  const Fd second(::open((directory / "second").c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  SpawnPlan plan = zoo_plan({"print", "out", "print-error", "err", "describe",
                             "/proc/self/fd/" + std::to_string(first.get())});
  plan.fds = {{2, first.get()},
              {1, second.get()},
              {first.get(), second.get()},  // crosses
              {second.get(), first.get()}};
  const auto child = spawn(plan);
  ASSERT_TRUE(child.has_value());
  EXPECT_TRUE(await_exit(*child).success());
  EXPECT_EQ(contents(directory / "first"), "err\n");
  EXPECT_EQ(contents(directory / "second").substr(0, 4), "out\n");
}

TEST(Spawn, TheChildGetsWhatThePlanSays) {
  const TempDirectory directory;
  SpawnPlan plan = zoo_plan({});
  plan.cwd = "/usr";
  plan.envp.push_back("ONLY=this");
  plan.oom_score_adj = 77;
  const auto whole = description_by(plan, directory / "whole");
  plan.cpus = {whole["cpus"].back().get<int>()};
  const auto about = description_by(plan, directory / "about");
  EXPECT_EQ(about["cwd"], "/usr");
  EXPECT_EQ(about["environment"]["ONLY"], "this");
  EXPECT_EQ(about["environment"].size(), plan.envp.size());
  EXPECT_EQ(about["oom_score_adj"], 77);
  EXPECT_EQ(about["cpus"].size(), 1U);
  EXPECT_EQ(about["cpus"][0], plan.cpus[0]);
  EXPECT_EQ(about["group"], about["pid"]);
  EXPECT_EQ(about["session"], ::getsid(0));
}

TEST(Spawn, ALowPriorityIsNicerAndReadsTheDiskWhenItIsIdle) {
  const TempDirectory directory;
  SpawnPlan plan = zoo_plan({"tell-pid", directory / "pid", "wait"});
  plan.low_priority = true;
  const auto child = spawn(plan);
  ASSERT_TRUE(child.has_value());
  asio::io_context io{1};
  ASSERT_TRUE(run_until(io, [&] { return !contents(directory / "pid").empty(); }));
  const auto who = static_cast<id_t>(child->pid);
  EXPECT_EQ(::getpriority(PRIO_PROCESS, who), std::min(19, ::getpriority(PRIO_PROCESS, 0) + 10));
  EXPECT_EQ(::syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, child->pid),
            IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
  ::kill(child->pid, SIGKILL);
  await_exit(*child);
}

// What the user's shell had, after we changed all of it for ourselves.
TEST(Spawn, TheChildGetsTheOriginalLimitsMasksAndDispositions) {
  const TempDirectory directory;
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  rlimit lowered = before;
  lowered.rlim_cur = 200;
  ::setrlimit(RLIMIT_NOFILE, &lowered);
  for (int signum = 1; signum <= SIGRTMAX; ++signum) ::signal(signum, SIG_DFL);
  ::signal(SIGHUP, SIG_IGN);  // as under nohup
  const mode_t old_mask = ::umask(027);
  SpawnPlan plan = zoo_plan({});
  plan.original = OriginalLimits::capture();

  ASSERT_TRUE(raise_open_files().has_value());
  ::signal(SIGHUP, SIG_DFL);
  ::signal(SIGPIPE, SIG_IGN);
  ::umask(0);
  sigset_t usr1;
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  ::sigprocmask(SIG_BLOCK, &usr1, nullptr);
  const auto about = description_by(plan, directory / "about");
  ::sigprocmask(SIG_UNBLOCK, &usr1, nullptr);
  ::umask(old_mask);
  ::signal(SIGPIPE, SIG_DFL);
  ::setrlimit(RLIMIT_NOFILE, &before);

  EXPECT_EQ(about["open_files"], 200);
  EXPECT_EQ(about["umask"], 027);
  EXPECT_EQ(about["mask"], nlohmann::json::array());
  EXPECT_EQ(about["ignored"], nlohmann::json::array({SIGHUP}));
}

TEST(Spawn, DiesWithItsParent) {
  const TempDirectory directory;
  const std::string fifo = directory.fifo("pids");
  const Fd pids(::open(fifo.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC));
  auto parent = fork_function("test-parent", {}, [&] {
    const auto child = spawn(zoo_plan({"tell-pid", fifo, "wait"}));
    while (child.has_value()) ::pause();
    return 1;
  });
  ASSERT_TRUE(parent.has_value());
  await_readable(pids);
  char text[32] = {};
  ASSERT_GT(::read(pids.get(), text, sizeof text - 1), 0);
  Fd grandchild(static_cast<int>(::syscall(SYS_pidfd_open, std::atoi(text), 0U)));
  ASSERT_TRUE(grandchild.is_open());
  ::kill(parent->pid, SIGKILL);
  await_readable(grandchild);
  await_exit(*parent);
}

TEST(Spawn, ExecInPlaceBecomesTheProgramAndTellsWhyItCannot) {
  const TempDirectory directory;
  const auto child = fork_function("test-exec", {}, [&] {
    SpawnPlan plan = zoo_plan({"describe", directory / "about", "exit", "7"});
    plan.cwd = "/usr";
    return exec_in_place(plan).exit_code;
  });
  ASSERT_TRUE(child.has_value());
  EXPECT_EQ(await_exit(*child), ExitStatus::exited(7));
  const auto about = nlohmann::json::parse(contents(directory / "about"));
  EXPECT_EQ(about["pid"], child->pid);
  EXPECT_EQ(about["mask"], nlohmann::json::array());
  EXPECT_EQ(about["fds"], nlohmann::json::parse("[0, 1, 2]"));

  const auto missing = fork_function("test-exec", {}, [&] {
    SpawnPlan plan = zoo_plan({});
    plan.program = "/nowhere/python";
    return exec_in_place(plan).exit_code;
  });
  ASSERT_TRUE(missing.has_value());
  EXPECT_EQ(await_exit(*missing), ExitStatus::exited(127));
}

TEST(Spawn, ResolvesProgramsAsAShellDoes) {
  EXPECT_EQ(resolve_program("./x", "/bin").value_or(""), "./x");
  EXPECT_EQ(resolve_program("sh", "/nowhere:/bin").value_or(""), "/bin/sh");
  const auto missing = resolve_program("no-such-thing", "/usr/bin:/bin");
  ASSERT_FALSE(missing.has_value());
  EXPECT_EQ(missing.error().code(), ErrorCode::kNotFound);
  EXPECT_EQ(missing.error().message(), "no-such-thing: not found in PATH");
  const TempDirectory directory;
  std::ofstream(directory / "plain") << "x";
  EXPECT_EQ(resolve_program("plain", directory / "").error().code(), ErrorCode::kPermissionDenied);
}

}  // namespace
}  // namespace muster::process
