#include "tests/collectives-bench/bench_process.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <regex>

#include "collectives-bench/agreement.h"
#include "rendezvous/base/check.h"
#include "rendezvous/base/environment.h"
#include "tests/collectives-bench/bench_gang.h"

namespace muster::bench::testing {

namespace {

std::vector<char*> pointers_to(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

bool await_readable(int fd, TimePoint deadline) {
  pollfd waiting{fd, POLLIN, 0};
  return ::poll(&waiting, 1, static_cast<int>(time_left(deadline).count())) == 1;
}

}  // namespace

BenchProcess::BenchProcess(const std::string& program, std::vector<std::string> arguments,
                           const std::vector<std::string>& environment) {
  int ends[2];
  MUSTER_CHECK(::pipe2(ends, O_CLOEXEC) == 0);
  pipe_.reset(ends[0]);
  const Fd theirs(ends[1]);
  Environment variables = Environment::from_block(environ);
  for (const std::string& variable : environment) {
    const std::size_t equals = variable.find('=');
    variables.set(variable.substr(0, equals), variable.substr(equals + 1));
  }
  std::vector<std::string> strings = variables.to_strings();
  arguments.insert(arguments.begin(), program);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, theirs.get(), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, theirs.get(), STDERR_FILENO);
  const int code = ::posix_spawn(&pid_, program.c_str(), &actions, nullptr,
                                 pointers_to(arguments).data(), pointers_to(strings).data());
  ::posix_spawn_file_actions_destroy(&actions);
  MUSTER_CHECK(code == 0);
}

BenchProcess::~BenchProcess() {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGKILL);
  ::waitpid(pid_, nullptr, 0);
}

bool BenchProcess::read_some() {
  char buffer[4096];
  const auto count = ::read(pipe_.get(), buffer, sizeof buffer);
  if (count > 0) output_.append(buffer, static_cast<std::size_t>(count));
  return count > 0;
}

bool BenchProcess::read_until(const std::string& text) {
  const TimePoint deadline = Clock::now() + kGangDeadline;
  while (output_.find(text) == std::string::npos) {
    if (!await_readable(pipe_.get(), deadline) || !read_some()) return false;
  }
  return true;
}

bool BenchProcess::read_to_end() {
  const TimePoint deadline = Clock::now() + kGangDeadline;
  while (await_readable(pipe_.get(), deadline)) {
    if (!read_some()) return true;
  }
  return false;
}

int BenchProcess::wait() {
  const Fd handle(static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)));
  if (!await_readable(handle.get(), Clock::now() + kGangDeadline)) return -1;
  int status = 0;
  ::waitpid(pid_, &status, 0);
  pid_ = -1;
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

pid_t BenchProcess::pid_of_rank(unsigned rank) const {
  std::smatch match;
  const std::regex line("rank +" + std::to_string(rank) + " pid +([0-9]+) on ");
  return std::regex_search(output_, match, line) ? std::stoi(match[1]) : -1;
}

}  // namespace muster::bench::testing
