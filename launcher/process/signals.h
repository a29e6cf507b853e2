// The one table of signals: what the agent does with each one that arrives, and why. Pure.
#pragma once

#include <csignal>
#include <span>
#include <string>
#include <string_view>

namespace muster::process {

enum class SignalAction {
  kStop,     // stop the job: workers get it, then the stop ladder begins
  kForward,  // workers get it; nothing else happens
  kIgnore,   // nothing happens, to us or to them
  kReap,     // wakes the orphan reaper (SIGCHLD only)
  kDefault,  // left alone: a crash of ours stays a crash; SIGKILL and SIGSTOP cannot be caught
};

struct SignalRule {
  int signum;
  std::string_view name;  // "SIGTERM"
  SignalAction action;
  std::string_view why;
};

// All rules by number, without the real-time signals, which are all forwarded.
std::span<const SignalRule> signal_rules();

// kForward for real-time signals, kDefault for numbers that are no signal.
SignalAction action_of(int signum);

// "SIGTERM", "SIGRTMIN+3", "signal 99".
std::string signal_name(int signum);

// The signal of that name, with or without "SIG", in any case, or its number; 0 if there is none.
int signal_number(std::string_view name);

// The signals an agent catches (kStop and kForward), as a set.
sigset_t caught_signals();

}  // namespace muster::process
