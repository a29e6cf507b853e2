#include "launcher/process/signals.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

namespace muster::process {
namespace {

using enum SignalAction;

constexpr std::array<SignalRule, 31> kRules{{
    {SIGHUP, "SIGHUP", kForward, "some programs reload on it; the job outlives a terminal"},
    {SIGINT, "SIGINT", kStop, "the user's Ctrl-C; a second one hurries"},
    {SIGQUIT, "SIGQUIT", kStop, "Ctrl-\\: stop, and let workers dump core"},
    {SIGILL, "SIGILL", kDefault, "a bug of ours must stay visible"},
    {SIGTRAP, "SIGTRAP", kDefault, "belongs to debuggers"},
    {SIGABRT, "SIGABRT", kDefault, "a bug of ours must stay visible"},
    {SIGBUS, "SIGBUS", kDefault, "a bug of ours must stay visible"},
    {SIGFPE, "SIGFPE", kDefault, "a bug of ours must stay visible"},
    {SIGKILL, "SIGKILL", kDefault, "cannot be caught; the guardian cleans up"},
    {SIGUSR1, "SIGUSR1", kForward, "programs checkpoint on it (#SBATCH --signal); stops nothing"},
    {SIGSEGV, "SIGSEGV", kDefault, "a bug of ours must stay visible"},
    {SIGUSR2, "SIGUSR2", kForward, "programs checkpoint on it; stops nothing"},
    {SIGPIPE, "SIGPIPE", kIgnore, "a closed pipe is an errno to us; reset in workers"},
    {SIGALRM, "SIGALRM", kForward, "we set no alarm, so it is meant for the program"},
    {SIGTERM, "SIGTERM", kStop, "scancel, time limit, requeue"},
    {SIGSTKFLT, "SIGSTKFLT", kForward, "unused by Linux, so it is meant for the program"},
    {SIGCHLD, "SIGCHLD", kReap, "wakes the reaper of adopted orphans; owned ones have pidfds"},
    {SIGCONT, "SIGCONT", kForward, "Slurm sends it before SIGTERM and on resume (scancel(1))"},
    {SIGSTOP, "SIGSTOP", kDefault, "cannot be caught"},
    {SIGTSTP, "SIGTSTP", kForward, "scontrol suspend: workers pause, SIGSTOP for us follows"},
    {SIGTTIN, "SIGTTIN", kIgnore, "we never read the terminal"},
    {SIGTTOU, "SIGTTOU", kIgnore, "a terminal with tostop must not freeze the agent"},
    {SIGURG, "SIGURG", kIgnore, "out-of-band data on a socket; nothing to do"},
    {SIGXCPU, "SIGXCPU", kForward, "some sites warn with it before a limit"},
    {SIGXFSZ, "SIGXFSZ", kIgnore, "a file too large is an errno to us; reset in workers"},
    {SIGVTALRM, "SIGVTALRM", kForward, "we set no alarm, so it is meant for the program"},
    {SIGPROF, "SIGPROF", kForward, "we set no profiler, so it is meant for the program"},
    {SIGWINCH, "SIGWINCH", kIgnore, "workers write to pipes, which have no window"},
    {SIGIO, "SIGIO", kIgnore, "default would end us; we ask for none"},
    {SIGPWR, "SIGPWR", kForward, "power is failing: programs may checkpoint"},
    {SIGSYS, "SIGSYS", kDefault, "a seccomp violation must stay visible"},
}};

bool is_real_time(int signum) {
  return signum >= SIGRTMIN && signum <= SIGRTMAX;
}

}  // namespace

std::span<const SignalRule> signal_rules() {
  return kRules;
}

SignalAction action_of(int signum) {
  for (const SignalRule& rule : kRules)
    if (rule.signum == signum) return rule.action;
  return is_real_time(signum) ? kForward : kDefault;
}

std::string signal_name(int signum) {
  for (const SignalRule& rule : kRules)
    if (rule.signum == signum) return std::string(rule.name);
  if (signum == SIGRTMIN) return "SIGRTMIN";
  if (is_real_time(signum)) return "SIGRTMIN+" + std::to_string(signum - SIGRTMIN);
  return "signal " + std::to_string(signum);
}

int signal_number(std::string_view name) {
  int number = 0;
  const auto parsed = std::from_chars(name.data(), name.data() + name.size(), number);
  if (parsed.ec == std::errc() && parsed.ptr == name.data() + name.size())
    return number >= 1 && number <= SIGRTMAX ? number : 0;
  std::string upper(name);
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  if (upper.rfind("SIG", 0) != 0) upper = "SIG" + upper;
  for (const SignalRule& rule : kRules)
    if (rule.name == upper) return rule.signum;
  return 0;
}

sigset_t caught_signals() {
  sigset_t set;
  sigemptyset(&set);
  for (int signum = 1; signum <= SIGRTMAX; ++signum) {
    const SignalAction action = action_of(signum);
    if (action == kStop || action == kForward) sigaddset(&set, signum);
  }
  return set;
}

}  // namespace muster::process
