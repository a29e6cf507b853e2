#include "tests/collectives-bench/bench_gang.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <tuple>
#include <utility>

#include "collectives-bench/agreement.h"
#include "rendezvous/base/bytes.h"
#include "rendezvous/base/check.h"
#include "rendezvous/base/environment.h"
#include "tests/collectives-bench/socket_exchange.h"

namespace muster::bench::testing {

namespace {

constexpr int kSocketInChild = 3;
constexpr int kReportInChild = 4;

struct Child {
  pid_t pid = -1;
  Fd hub;
  Fd report;
  Fd screen;
  std::unique_ptr<std::FILE, int (*)(std::FILE*)> output{nullptr, &std::fclose};
  std::optional<std::string> frame;  // gathered, not yet answered
  RankEnd end;
};

std::vector<char*> pointers_to(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Descriptors above the two targets, so that dup2 in the child never hits a source.
Fd moved_up(int fd) {
  const Fd old(fd);
  return Fd(::fcntl(old.get(), F_DUPFD_CLOEXEC, 10));
}

// The test's own, with the plan's variables in the place of its own of that name.
std::vector<std::string> environment_of(const GangPlan& plan, std::size_t rank) {
  std::vector<std::string> added = plan.environment;
  if (plan.rank_environment) {
    const auto own = plan.rank_environment(rank);
    added.insert(added.end(), own.begin(), own.end());
  }
  Environment environment = Environment::from_block(environ);
  for (const std::string& variable : added) {
    const std::size_t equals = variable.find('=');
    environment.set(variable.substr(0, equals), variable.substr(equals + 1));
  }
  return environment.to_strings();
}

// The near end of a new terminal, and its far end for the child.
std::pair<Fd, Fd> open_terminal() {
  Fd near_end = moved_up(::posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK));
  MUSTER_CHECK(::grantpt(near_end.get()) == 0 && ::unlockpt(near_end.get()) == 0);
  Fd far_end = moved_up(::open(::ptsname(near_end.get()), O_RDWR | O_NOCTTY | O_CLOEXEC));
  MUSTER_CHECK(far_end.is_open());
  return {std::move(near_end), std::move(far_end)};
}

Child spawn_rank(const GangPlan& plan, std::size_t rank) {
  int sockets[2];
  int pipe_ends[2];
  MUSTER_CHECK(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) == 0);
  MUSTER_CHECK(::pipe2(pipe_ends, O_CLOEXEC) == 0);
  Child child;
  child.hub = moved_up(sockets[0]);
  child.report = moved_up(pipe_ends[0]);
  const Fd theirs = moved_up(sockets[1]);
  const Fd report = moved_up(pipe_ends[1]);
  child.output.reset(std::tmpfile());
  MUSTER_CHECK(child.output != nullptr);

  std::vector<std::string> arguments = {plan.program};
  if (plan.program.empty()) {
    arguments = {MUSTER_BENCH_RANK, std::to_string(kSocketInChild), std::to_string(rank),
                 std::to_string(plan.size)};
  }
  arguments.insert(arguments.end(), plan.arguments.begin(), plan.arguments.end());
  if (plan.rank_arguments) {
    const auto own = plan.rank_arguments(rank);
    arguments.insert(arguments.end(), own.begin(), own.end());
  }
  if (plan.reports) {
    arguments.insert(arguments.end(), {"--report-fd", std::to_string(kReportInChild)});
  }
  std::vector<std::string> environment = environment_of(plan, rank);
  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  Fd far_end;
  if (plan.terminal) std::tie(child.screen, far_end) = open_terminal();
  ::posix_spawn_file_actions_adddup2(
      &actions, plan.terminal_output ? far_end.get() : ::fileno(child.output.get()), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(
      &actions, plan.terminal ? far_end.get() : ::fileno(child.output.get()), STDERR_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, theirs.get(), kSocketInChild);
  ::posix_spawn_file_actions_adddup2(&actions, report.get(), kReportInChild);
  const int code = ::posix_spawn(&child.pid, arguments[0].c_str(), &actions, nullptr,
                                 pointers_to(arguments).data(), pointers_to(environment).data());
  ::posix_spawn_file_actions_destroy(&actions);
  MUSTER_CHECK(code == 0);
  return child;
}

// Answers when every rank's frame is there.
void answer_if_complete(std::vector<Child>& children) {
  ByteWriter answer;
  for (const Child& child : children) {
    if (!child.frame) return;
    answer.string(*child.frame);
  }
  for (Child& child : children) {
    child.frame.reset();
    if (child.hub.is_open()) (void)write_frame(child.hub.get(), answer.bytes());
  }
}

void read_report(Child& child) {
  char buffer[65536];
  const auto count = ::read(child.report.get(), buffer, sizeof buffer);
  if (count > 0) {
    child.end.report.append(buffer, static_cast<std::size_t>(count));
  } else {
    child.report.reset();  // the process ended
  }
}

// A terminal that nobody reads stops who writes to it.
void read_screen(Child& child) {
  char buffer[4096];
  ssize_t count = 0;
  while ((count = ::read(child.screen.get(), buffer, sizeof buffer)) > 0) {
    child.end.screen.append(buffer, static_cast<std::size_t>(count));
  }
  if (count < 0 && errno != EAGAIN) child.screen.reset();  // EIO: the far end is closed
}

void serve_once(std::vector<Child>& children, TimePoint deadline) {
  std::vector<pollfd> waiting;
  for (const Child& child : children) {
    waiting.push_back({child.frame ? -1 : child.hub.get(), POLLIN, 0});
    waiting.push_back({child.report.get(), POLLIN, 0});
    waiting.push_back({child.screen.get(), POLLIN, 0});
  }
  ::poll(waiting.data(), waiting.size(), static_cast<int>(time_left(deadline).count()));
  for (std::size_t i = 0; i < children.size(); ++i) {
    if (waiting[3 * i].revents != 0) {
      auto frame = read_frame(children[i].hub.get(), deadline);
      if (frame) {
        children[i].frame = std::move(*frame);
      } else {
        children[i].hub.reset();
      }
    }
    if (waiting[3 * i + 1].revents != 0) read_report(children[i]);
    if (waiting[3 * i + 2].revents != 0) read_screen(children[i]);
  }
  answer_if_complete(children);
}

std::size_t count_running(const std::vector<Child>& children) {
  std::size_t running = 0;
  for (const Child& child : children) running += child.report.is_open();
  return running;
}

RankEnd collect(Child& child) {
  child.end.was_stuck = child.report.is_open();
  if (child.end.was_stuck) ::kill(child.pid, SIGKILL);
  ::waitpid(child.pid, &child.end.wait_status, 0);
  std::rewind(child.output.get());
  char buffer[4096];
  while (const std::size_t count = std::fread(buffer, 1, sizeof buffer, child.output.get())) {
    child.end.output.append(buffer, count);
  }
  if (child.screen.is_open()) read_screen(child);
  if (child.end.report.ends_with('\n')) child.end.report.pop_back();
  return std::move(child.end);
}

}  // namespace

std::vector<RankEnd> run_gang(const GangPlan& plan) {
  std::vector<Child> children;
  for (std::size_t rank = 0; rank < plan.size; ++rank) children.push_back(spawn_rank(plan, rank));
  const TimePoint deadline = Clock::now() + kGangDeadline;
  while (count_running(children) > plan.stuck && Clock::now() < deadline) {
    serve_once(children, deadline);
  }
  std::vector<RankEnd> ends;
  for (Child& child : children) ends.push_back(collect(child));
  return ends;
}

std::vector<RankOutcome> outcomes_of(const std::vector<RankEnd>& ends) {
  std::vector<RankOutcome> outcomes;
  for (std::size_t rank = 0; rank < ends.size(); ++rank) {
    RankOutcome outcome;
    outcome.host = "node" + std::to_string(rank);
    if (auto report = parse_report(ends[rank].report)) {
      outcome.report = std::move(*report);
    } else {
      outcome.missing =
          ends[rank].was_stuck ? MissingReason::kKilledAtDeadline : MissingReason::kExited;
    }
    outcomes.push_back(std::move(outcome));
  }
  return outcomes;
}

}  // namespace muster::bench::testing
