#include "launcher/process/signals.h"

#include <gtest/gtest.h>

namespace muster::process {
namespace {

TEST(Signals, TableHoldsEveryStandardSignalOnceInOrderWithAReason) {
  int expected = 1;
  for (const SignalRule& rule : signal_rules()) {
    EXPECT_EQ(rule.signum, expected++) << rule.name;
    EXPECT_FALSE(rule.why.empty()) << rule.name;
    EXPECT_EQ(signal_number(rule.name), rule.signum);
    EXPECT_EQ(signal_name(rule.signum), rule.name);
  }
  EXPECT_EQ(expected, 32);
}

TEST(Signals, StopAndForwardAreWhatTheReadmePromises) {
  for (const int signum : {SIGTERM, SIGINT, SIGQUIT})
    EXPECT_EQ(action_of(signum), SignalAction::kStop) << signal_name(signum);
  for (const int signum : {SIGUSR1, SIGUSR2, SIGHUP, SIGCONT, SIGTSTP, SIGRTMIN + 2})
    EXPECT_EQ(action_of(signum), SignalAction::kForward) << signal_name(signum);
  for (const int signum : {SIGSEGV, SIGABRT, SIGKILL, SIGSTOP})
    EXPECT_EQ(action_of(signum), SignalAction::kDefault) << signal_name(signum);
}

TEST(Signals, CaughtAreExactlyThoseThatStopOrForward) {
  const sigset_t caught = caught_signals();
  for (const SignalRule& rule : signal_rules()) {
    const bool wanted = rule.action == SignalAction::kStop || rule.action == SignalAction::kForward;
    EXPECT_EQ(sigismember(&caught, rule.signum) == 1, wanted) << rule.name;
  }
}

TEST(Signals, NamesAreReadWithAndWithoutSigInAnyCaseAndAsNumbers) {
  EXPECT_EQ(signal_number("usr1"), SIGUSR1);
  EXPECT_EQ(signal_number("SIGUSR1"), SIGUSR1);
  EXPECT_EQ(signal_number("15"), SIGTERM);
  EXPECT_EQ(signal_number("0"), 0);
  EXPECT_EQ(signal_number("999"), 0);
  EXPECT_EQ(signal_number("nonsense"), 0);
  EXPECT_EQ(signal_name(SIGRTMIN + 3), "SIGRTMIN+3");
  EXPECT_EQ(signal_name(200), "signal 200");
}

}  // namespace
}  // namespace muster::process
