#include "collectives-bench/slot_parent.h"

#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>

#include "collectives-bench/slot_watch.h"
#include "rendezvous/base/fd.h"

namespace muster::bench {

namespace {

constexpr std::array kPassedOn = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2};

std::vector<char*> pointers_to(std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  for (std::string& text : strings) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// The signals that the parent reads instead of obeying, and the mask that its children get back.
class HeldSignals {
 public:
  static Result<HeldSignals> hold() {
    HeldSignals held;
    sigset_t ours;
    ::sigemptyset(&ours);
    ::sigaddset(&ours, SIGCHLD);
    for (const int signum : kPassedOn) ::sigaddset(&ours, signum);
    ::sigprocmask(SIG_BLOCK, &ours, &held.before_);
    held.fd_.reset(::signalfd(-1, &ours, SFD_CLOEXEC | SFD_NONBLOCK));
    if (!held.fd_.is_open()) return failure(system_error("signalfd", errno));
    return held;
  }

  const sigset_t& before() const { return before_; }
  int fd() const { return fd_.get(); }

  // Those to pass on that came, in order; SIGCHLD only wakes.
  std::vector<int> take() const {
    std::vector<int> came;
    signalfd_siginfo one{};
    while (::read(fd_.get(), &one, sizeof one) == static_cast<ssize_t>(sizeof one)) {
      if (one.ssi_signo != SIGCHLD) came.push_back(static_cast<int>(one.ssi_signo));
    }
    return came;
  }

 private:
  HeldSignals() = default;
  sigset_t before_{};
  Fd fd_;
};

class Children {
 public:
  explicit Children(std::size_t count) : pids_(count, -1) {}
  ~Children() { signal_all(SIGKILL); }  // of a failed start; we end at once and reap nobody
  Children(const Children&) = delete;
  Children& operator=(const Children&) = delete;

  Status spawn(const SlotPlan& plan, std::size_t slot, const sigset_t& mask) {
    std::vector<std::string> arguments = {plan.program};
    arguments.insert(arguments.end(), plan.arguments.begin(), plan.arguments.end());
    Environment variables = plan.environments[slot];
    variables.set(kSlotVariable,
                  print_slot_order({{static_cast<std::uint32_t>(slot),
                                     static_cast<std::uint32_t>(plan.environments.size())},
                                    ::getpid()}));
    std::vector<std::string> environment = variables.to_strings();
    posix_spawnattr_t attributes;
    ::posix_spawnattr_init(&attributes);
    ::posix_spawnattr_setsigmask(&attributes, &mask);
    ::posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    const int code = ::posix_spawn(&pids_[slot], plan.program.c_str(), nullptr, &attributes,
                                   pointers_to(arguments).data(), pointers_to(environment).data());
    ::posix_spawnattr_destroy(&attributes);
    if (code == 0) return {};
    pids_[slot] = -1;
    return failure(
        system_error(fmt::format("{}: start {}", plan.labels[slot], plan.program), code));
  }

  void signal_all(int signum) const {
    for (const pid_t pid : pids_) {
      if (pid > 0) ::kill(pid, signum);
    }
  }

  struct Ended {
    std::size_t slot;
    int wait_status;
  };

  // One that ended and was not told yet.
  std::optional<Ended> reap() {
    for (std::size_t slot = 0; slot < pids_.size(); ++slot) {
      int wait_status = 0;
      if (pids_[slot] <= 0 || ::waitpid(pids_[slot], &wait_status, WNOHANG) != pids_[slot]) {
        continue;
      }
      pids_[slot] = -1;
      return Ended{slot, wait_status};
    }
    return std::nullopt;
  }

  // Those that are still there belong to nobody from here on.
  void abandon() { std::fill(pids_.begin(), pids_.end(), -1); }

 private:
  std::vector<pid_t> pids_;
};

// What a burst of events came to: the lines are out and the signals are sent.
std::optional<int> apply(const SlotEffects& effects, const Children& children) {
  for (const std::string& line : effects.lines) {
    fmt::print(stderr, "muster-bench: {}\n", line);
  }
  if (effects.signal) children.signal_all(*effects.signal);
  return effects.exit_code;
}

int watch(SlotWatch watch, Children& children, const HeldSignals& signals) {
  while (true) {
    // Signals first: a child that died of one that came to all is not taken for a crash.
    for (const int signum : signals.take()) apply(watch.on_signal(signum, Clock::now()), children);
    while (const auto ended = children.reap()) {
      const auto code =
          apply(watch.on_exit(ended->slot, ended->wait_status, Clock::now()), children);
      if (code) return *code;
    }
    const auto left = std::chrono::ceil<Duration>(watch.next_deadline() - Clock::now()).count();
    pollfd waiting{signals.fd(), POLLIN, 0};
    ::poll(&waiting, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000)));
    if (const auto code = apply(watch.on_time(Clock::now()), children)) return *code;
  }
}

}  // namespace

Result<int> run_slots(const SlotPlan& plan) {
  MUSTER_TRY(signals, HeldSignals::hold());
  Children children(plan.environments.size());
  for (std::size_t slot = 0; slot < plan.environments.size(); ++slot) {
    MUSTER_RETURN_IF_ERROR(children.spawn(plan, slot, signals.before()));
  }
  const int code = watch(SlotWatch(plan.labels, plan.deadline), children, signals);
  children.abandon();
  return code;
}

Status end_with_parent(const SlotOrder& order) {
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) {
    return failure(system_error("prctl PR_SET_PDEATHSIG", errno));
  }
  if (::getppid() == order.parent) return {};  // else it died before the kernel was told
  return failure(ErrorCode::kUnavailable,
                 fmt::format("the parent of this rank, process {}, is gone", order.parent));
}

}  // namespace muster::bench
