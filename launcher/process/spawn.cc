#include "launcher/process/spawn.h"

#include <fcntl.h>
#include <linux/ioprio.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>

namespace muster::process {
namespace {

constexpr int kLowerNice = 10;

struct FreeCpuSet {
  void operator()(cpu_set_t* set) const { CPU_FREE(set); }
};
using CpuSet = std::unique_ptr<cpu_set_t, FreeCpuSet>;

// What the child needs, all built before the fork. The child writes to `moved` and `report_fd`
// only.
struct Prepared {
  const SpawnPlan* plan = nullptr;
  std::vector<char*> argv;
  std::vector<char*> envp;
  std::vector<int> moved;                           // sources, lifted above all targets
  std::vector<std::pair<unsigned, unsigned>> gaps;  // descriptors the program must not see
  int first_free = 3;                               // above all targets
  CpuSet cpus;
  std::size_t cpus_size = 0;
  std::array<char, 16> oom_text{};
  std::size_t oom_size = 0;
  sigset_t mask{};
  pid_t parent = 0;
  int report_fd = -1;
};

struct Report {
  std::uint32_t step;
  std::int32_t error;
};

// Each step returns 0 or an errno, and makes async-signal-safe calls only.
int enter_own_group(Prepared& prepared) {
  if (!prepared.plan->own_group) return 0;
  return ::setpgid(0, 0) == 0 ? 0 : errno;
}

int die_with_parent(Prepared& prepared) {
  if (!prepared.plan->die_with_parent) return 0;
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return errno;
  return ::getppid() == prepared.parent ? 0 : ESRCH;  // the parent died before the request
}

int reset_signals(Prepared& prepared) {
  for (int signum = 1; signum <= SIGRTMAX; ++signum) {
    struct sigaction action {};
    action.sa_handler =
        sigismember(&prepared.plan->original.ignored, signum) == 1 ? SIG_IGN : SIG_DFL;
    ::sigaction(signum, &action, nullptr);  // fails for SIGKILL, SIGSTOP and glibc's own two
  }
  return 0;
}

int move_descriptors(Prepared& prepared) {
  const auto& fds = prepared.plan->fds;
  prepared.report_fd = ::fcntl(prepared.report_fd, F_DUPFD_CLOEXEC, prepared.first_free);
  if (prepared.report_fd < 0) return errno;
  for (std::size_t i = 0; i < fds.size(); ++i) {
    prepared.moved[i] = ::fcntl(fds[i].second, F_DUPFD_CLOEXEC, prepared.first_free);
    if (prepared.moved[i] < 0) return errno;
  }
  for (std::size_t i = 0; i < fds.size(); ++i)
    if (::dup2(prepared.moved[i], fds[i].first) < 0) return errno;
  return 0;
}

// Linux 5.10 and older lack CLOSE_RANGE_CLOEXEC, 5.8 and older close_range itself.
void shut_range(unsigned first, unsigned last, bool at_exec) {
  if (::close_range(first, last, at_exec ? CLOSE_RANGE_CLOEXEC : 0) == 0) return;
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  const auto end = static_cast<unsigned>(std::min<rlim_t>(limit.rlim_max, 1U << 20));
  for (unsigned fd = first; fd <= last && fd < end; ++fd) {
    if (at_exec) {
      ::fcntl(static_cast<int>(fd), F_SETFD, FD_CLOEXEC);
    } else {
      ::close(static_cast<int>(fd));
    }
  }
}

int hide_descriptors(Prepared& prepared) {
  for (const auto& [first, last] : prepared.gaps) shut_range(first, last, true);
  return 0;
}

int take_terminal(Prepared& prepared) {
  if (prepared.plan->take_terminal && ::isatty(0) == 1)
    ::tcsetpgrp(0, ::getpid());  // refused when it is not our controlling terminal
  return 0;
}

int change_directory(Prepared& prepared) {
  const std::string& cwd = prepared.plan->cwd;
  return cwd.empty() || ::chdir(cwd.c_str()) == 0 ? 0 : errno;
}

int restore_limits(Prepared& prepared) {
  for (const auto& [resource, wanted] : prepared.plan->original.limits) {
    rlimit present{};
    if (::getrlimit(resource, &present) == 0 && present.rlim_cur == wanted.rlim_cur &&
        present.rlim_max == wanted.rlim_max)
      continue;
    if (::setrlimit(resource, &wanted) != 0) return errno;
  }
  return 0;
}

int bind_cpus(Prepared& prepared) {
  if (prepared.cpus == nullptr) return 0;
  return ::sched_setaffinity(0, prepared.cpus_size, prepared.cpus.get()) == 0 ? 0 : errno;
}

int set_oom_score(Prepared& prepared) {
  if (prepared.oom_size == 0) return 0;
  const int fd = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (fd < 0) return 0;
  [[maybe_unused]] const ssize_t n = ::write(fd, prepared.oom_text.data(), prepared.oom_size);
  ::close(fd);
  return 0;
}

int lower_priority(Prepared& prepared) {
  if (!prepared.plan->low_priority) return 0;
  [[maybe_unused]] const int now = ::nice(kLowerNice);
  ::syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_IDLE, 0));
  return 0;
}

int set_masks(Prepared& prepared) {
  ::umask(prepared.plan->original.file_mask);
  return ::sigprocmask(SIG_SETMASK, &prepared.mask, nullptr) == 0 ? 0 : errno;
}

int execute(Prepared& prepared) {
  const char* program = prepared.plan->program.c_str();
  ::execve(program, prepared.argv.data(), prepared.envp.data());
  const int error = errno;
  // A script whose interpreter is missing gives ENOENT too; tell it from a missing script.
  return error == ENOENT && ::access(program, F_OK) == 0 ? ELIBBAD : error;
}

struct Step {
  const char* name;
  int (*run)(Prepared&);
};

constexpr std::array<Step, 13> kSteps{{
    {"setpgid", enter_own_group},
    {"die with the agent", die_with_parent},
    {"reset signals", reset_signals},
    {"move descriptors", move_descriptors},
    {"hide descriptors", hide_descriptors},
    {"take the terminal", take_terminal},
    {"chdir", change_directory},
    {"set limits", restore_limits},
    {"set affinity", bind_cpus},
    {"set OOM score", set_oom_score},
    {"lower the priority", lower_priority},
    {"restore masks", set_masks},
    {"exec", execute},
}};

// Returns only with the step that failed.
Report run_steps(Prepared& prepared) {
  for (std::uint32_t step = 0; step < kSteps.size(); ++step) {
    const int error = kSteps[step].run(prepared);
    if (error != 0) return {step, error};
  }
  return {kSteps.size(), 0};  // not reached: a successful exec does not return
}

[[noreturn]] void run_child(Prepared& prepared) {
  const Report report = run_steps(prepared);
  [[maybe_unused]] const ssize_t n = ::write(prepared.report_fd, &report, sizeof report);
  ::_exit(126);
}

ExecFailure explain(const Report& report, const SpawnPlan& plan) {
  std::string text = kSteps[report.step].name;
  const bool exec = report.step == kSteps.size() - 1;
  if (kSteps[report.step].run == change_directory) text += " " + plan.cwd;
  if (exec) text += " " + plan.program;
  if (exec && report.error == ELIBBAD)
    return {text + ": the interpreter named in its first line does not exist", 126};
  text += ": " + std::string(std::strerror(report.error));
  if (exec && report.error == ENOEXEC) text += " (a script needs #! in its first line)";
  const bool missing = exec && (report.error == ENOENT || report.error == ENOTDIR);
  return {std::move(text), missing ? 127 : 126};
}

std::vector<char*> pointers_to(const std::vector<std::string>& strings) {
  std::vector<char*> pointers;
  pointers.reserve(strings.size() + 1);
  for (const std::string& text : strings) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

// The ranges of descriptors from 3 on that are not in `kept`.
std::vector<std::pair<unsigned, unsigned>> gaps_between(std::vector<int> kept) {
  std::sort(kept.begin(), kept.end());
  std::vector<std::pair<unsigned, unsigned>> gaps;
  unsigned first = 3;
  for (const int fd : kept) {
    const auto number = static_cast<unsigned>(fd);
    if (number < first) continue;
    if (number > first) gaps.emplace_back(first, number - 1);
    first = number + 1;
  }
  gaps.emplace_back(first, ~0U);
  return gaps;
}

CpuSet make_cpu_set(const std::vector<int>& cpus, std::size_t& size) {
  const int count = *std::max_element(cpus.begin(), cpus.end()) + 1;
  CpuSet set(CPU_ALLOC(count));
  size = CPU_ALLOC_SIZE(count);
  CPU_ZERO_S(size, set.get());
  for (const int cpu : cpus) CPU_SET_S(static_cast<std::size_t>(cpu), size, set.get());
  return set;
}

Status check_plan(const SpawnPlan& plan) {
  if (plan.program.empty() || plan.argv.empty())
    return failure(ErrorCode::kInvalidArgument, "start: no program given");
  for (const auto& [target, source] : plan.fds)
    if (target < 0 || source < 0)
      return failure(ErrorCode::kInvalidArgument,
                     "start " + plan.program + ": a descriptor of its plan is not open");
  for (const int cpu : plan.cpus)
    if (cpu < 0)
      return failure(ErrorCode::kInvalidArgument,
                     "start " + plan.program + ": cpu " + std::to_string(cpu) + " is no cpu");
  return {};
}

Prepared prepare(const SpawnPlan& plan) {
  Prepared prepared;
  prepared.plan = &plan;
  prepared.argv = pointers_to(plan.argv);
  prepared.envp = pointers_to(plan.envp);
  prepared.moved.assign(plan.fds.size(), -1);
  prepared.mask = plan.original.mask;
  prepared.parent = ::getpid();
  std::vector<int> targets;
  for (const auto& [target, source] : plan.fds) {
    targets.push_back(target);
    prepared.first_free = std::max(prepared.first_free, target + 1);
  }
  prepared.gaps = gaps_between(std::move(targets));
  if (!plan.cpus.empty()) prepared.cpus = make_cpu_set(plan.cpus, prepared.cpus_size);
  if (plan.oom_score_adj.has_value())
    prepared.oom_size = static_cast<std::size_t>(std::snprintf(
        prepared.oom_text.data(), prepared.oom_text.size(), "%d", *plan.oom_score_adj));
  return prepared;
}

// Blocks every signal for its lifetime, so that none hits a child before its dispositions are set.
class SignalsBlocked {
 public:
  SignalsBlocked() {
    sigset_t all;
    sigfillset(&all);
    ::sigprocmask(SIG_SETMASK, &all, &before_);
  }
  ~SignalsBlocked() { ::sigprocmask(SIG_SETMASK, &before_, nullptr); }
  SignalsBlocked(const SignalsBlocked&) = delete;
  SignalsBlocked& operator=(const SignalsBlocked&) = delete;

 private:
  sigset_t before_{};
};

void let_go_of_standard_streams(const std::vector<int>& keep) {
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (int fd = 0; fd <= 2; ++fd)
    if (fd != null.get() && std::find(keep.begin(), keep.end(), fd) == keep.end())
      ::dup2(null.get(), fd);
}

// The parent's half after a fork: the group and the pidfd. The child is unreaped, so the pid is
// its.
Result<Child> adopt(pid_t pid, bool own_group) {
  if (own_group) ::setpgid(pid, pid);  // the child does it too: whoever is first
  Child child;
  child.pid = pid;
  child.pidfd.reset(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U)));
  if (child.pidfd.is_open()) return child;
  const int error = errno;
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);  // a child of ours that never ran a program: ends at once
  return failure(system_error("open a pidfd (needs Linux 5.4)", error));
}

std::optional<ExitStatus> wait_for(const Fd& pidfd, int flags) {
  siginfo_t info{};
  if (::waitid(P_PIDFD, static_cast<id_t>(pidfd.get()), &info, WEXITED | WNOHANG | flags) != 0)
    return std::nullopt;
  if (info.si_pid == 0) return std::nullopt;
  if (info.si_code == CLD_EXITED) return ExitStatus::exited(info.si_status);
  return ExitStatus::killed(info.si_status, info.si_code == CLD_DUMPED);
}

}  // namespace

Result<Child> spawn(const SpawnPlan& plan) {
  MUSTER_RETURN_IF_ERROR(check_plan(plan));
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return failure(system_error("make a pipe", errno));
  Fd report(ends[0]);
  const Fd report_write(ends[1]);
  ::fcntl(report.get(), F_SETFL, O_NONBLOCK);

  Prepared prepared = prepare(plan);
  prepared.report_fd = report_write.get();
  pid_t pid = -1;
  int error = 0;
  {
    const SignalsBlocked blocked;
    pid = ::fork();
    error = errno;
    if (pid == 0) run_child(prepared);
  }
  if (pid < 0) return failure(system_error("fork for " + plan.program, error));
  MUSTER_TRY(child, adopt(pid, plan.own_group));
  child.exec_report = std::move(report);
  return child;
}

std::optional<ExecFailure> read_exec_report(const Child& child, const SpawnPlan& plan) {
  Report report{};
  const ssize_t size = ::read(child.exec_report.get(), &report, sizeof report);
  if (size != sizeof report || report.step >= kSteps.size()) return std::nullopt;
  return explain(report, plan);
}

ExecFailure exec_in_place(SpawnPlan plan) {
  plan.own_group = false;
  plan.die_with_parent = false;
  if (const Status checked = check_plan(plan); !checked) return {checked.error().message(), 126};
  Prepared prepared = prepare(plan);
  const Fd unused(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  prepared.report_fd = unused.get();
  return explain(run_steps(prepared), plan);
}

Result<std::string> resolve_program(std::string_view name, std::string_view path) {
  if (name.find('/') != std::string_view::npos) return std::string(name);
  bool found_unusable = false;
  while (!name.empty()) {
    const std::size_t colon = path.find(':');
    const std::string_view folder = path.substr(0, colon);
    const std::string candidate =
        (folder.empty() ? std::string(".") : std::string(folder)) + "/" + std::string(name);
    struct stat status {};
    if (::stat(candidate.c_str(), &status) == 0 && S_ISREG(status.st_mode)) {
      if (::access(candidate.c_str(), X_OK) == 0) return candidate;
      found_unusable = true;
    }
    if (colon == std::string_view::npos) break;
    path.remove_prefix(colon + 1);
  }
  if (found_unusable)
    return failure(ErrorCode::kPermissionDenied,
                   std::string(name) + ": found in PATH, but not executable (chmod +x it)");
  return failure(ErrorCode::kNotFound, std::string(name) + ": not found in PATH");
}

Result<Child> fork_function(const char* name, const std::vector<int>& keep,
                            const std::function<int()>& body) {
  const auto gaps = gaps_between(keep);
  const SpawnPlan defaults;
  Prepared prepared;
  prepared.plan = &defaults;
  pid_t pid = -1;
  int error = 0;
  {
    const SignalsBlocked blocked;
    pid = ::fork();
    error = errno;
    if (pid == 0) {
      ::setpgid(0, 0);
      ::prctl(PR_SET_NAME, name);
      reset_signals(prepared);
      for (const auto& [first, last] : gaps) shut_range(first, last, false);
      let_go_of_standard_streams(keep);
      ::_exit(body());
    }
  }
  if (pid < 0) return failure(system_error(std::string("fork the ") + name, error));
  return adopt(pid, true);
}

std::optional<ExitStatus> peek_exit(const Fd& pidfd) {
  return wait_for(pidfd, WNOWAIT);
}

std::optional<ExitStatus> reap(const Fd& pidfd) {
  return wait_for(pidfd, 0);
}

}  // namespace muster::process
