#include "collectives-bench/slot_watch.h"

#include <gtest/gtest.h>

#include <csignal>

namespace muster::bench {
namespace {

constexpr TimePoint kStart{};
constexpr TimePoint kDeadline = kStart + std::chrono::seconds(60);

int ended_with(int code) {
  return code << 8;  // as waitpid tells it
}
int died_of(int signum) {
  return signum;
}

SlotWatch three() {
  return SlotWatch({"rank 4 (n1)", "rank 5 (n1)", "rank 6 (n1)"}, kDeadline);
}

TEST(SlotWatch, EndsWhenTheLastHasEnded) {
  SlotWatch watch = three();
  EXPECT_FALSE(watch.on_exit(0, ended_with(0), kStart).exit_code);
  EXPECT_FALSE(watch.on_exit(2, ended_with(0), kStart).exit_code);
  EXPECT_EQ(watch.next_deadline(), kDeadline);
  EXPECT_EQ(watch.on_exit(1, ended_with(0), kStart).exit_code, 0);
}

TEST(SlotWatch, GivesTheHighestExitCode) {
  SlotWatch watch = three();
  watch.on_exit(0, ended_with(4), kStart);
  watch.on_exit(1, ended_with(7), kStart);
  EXPECT_EQ(watch.on_exit(2, ended_with(1), kStart).exit_code, 7);
}

TEST(SlotWatch, ACrashIsNamedAndEndsTheOthersAtOnce) {
  SlotWatch watch = three();
  const SlotEffects effects = watch.on_exit(1, died_of(SIGSEGV), kStart);
  EXPECT_EQ(effects.signal, SIGKILL);
  EXPECT_EQ(effects.lines,
            std::vector<std::string>{
                "rank 5 (n1) died of signal 11 (SIGSEGV); ending the others of its task"});
  EXPECT_TRUE(watch.on_exit(0, died_of(SIGKILL), kStart).lines.empty()) << "we did that";
  EXPECT_EQ(watch.on_exit(2, died_of(SIGKILL), kStart).exit_code, 128 + SIGSEGV)
      << "not that of our own SIGKILL";
}

TEST(SlotWatch, TheLastOneMayCrashToo) {
  SlotWatch watch({"rank 0 (n)"}, kDeadline);
  const SlotEffects effects = watch.on_exit(0, died_of(SIGABRT), kStart);
  EXPECT_EQ(effects.lines, std::vector<std::string>{"rank 0 (n) died of signal 6 (SIGABRT)"});
  EXPECT_FALSE(effects.signal);
  EXPECT_EQ(effects.exit_code, 128 + SIGABRT);
}

TEST(SlotWatch, WhoOutlivesAFailedOneHasAMomentToTellItsOwn) {
  SlotWatch watch = three();
  const SlotEffects failed = watch.on_exit(0, ended_with(1), kStart);
  EXPECT_TRUE(failed.lines.empty()) << "it told itself";
  EXPECT_FALSE(failed.signal);
  EXPECT_EQ(watch.next_deadline(), kStart + kTellGrace);
  watch.on_exit(1, ended_with(4), kStart);
  EXPECT_EQ(watch.next_deadline(), kStart + kTellGrace) << "counted from the first";
  const SlotEffects late = watch.on_time(kStart + kTellGrace);
  EXPECT_EQ(late.lines,
            std::vector<std::string>{"rank 6 (n1) did not end with the others: killed"});
  EXPECT_EQ(late.signal, SIGKILL);
  EXPECT_EQ(watch.on_exit(2, died_of(SIGKILL), kStart).exit_code, 4);
}

TEST(SlotWatch, ASignalIsPassedOnAndDyingOfItIsNoCrash) {
  SlotWatch watch = three();
  EXPECT_EQ(watch.on_signal(SIGTERM, kStart).signal, SIGTERM);
  EXPECT_TRUE(watch.on_exit(0, died_of(SIGTERM), kStart).lines.empty());
  EXPECT_TRUE(watch.on_exit(1, died_of(SIGTERM), kStart).lines.empty());
  EXPECT_EQ(watch.on_exit(2, died_of(SIGTERM), kStart).exit_code, 128 + SIGTERM);
}

TEST(SlotWatch, WhoIgnoresASignalIsKilled) {
  SlotWatch watch = three();
  watch.on_signal(SIGINT, kStart);
  watch.on_exit(0, died_of(SIGINT), kStart);
  EXPECT_EQ(watch.next_deadline(), kStart + kSignalGrace);
  EXPECT_FALSE(watch.on_time(kStart + kSignalGrace - Duration(1)).signal);
  const SlotEffects effects = watch.on_time(kStart + kSignalGrace);
  EXPECT_EQ(effects.signal, SIGKILL);
  EXPECT_EQ(effects.lines, std::vector<std::string>{
                               "rank 5 (n1), rank 6 (n1) did not end with the others: killed"});
  EXPECT_FALSE(watch.on_signal(SIGINT, kStart).signal) << "nothing is left to say";
  watch.on_exit(1, died_of(SIGKILL), kStart);
  EXPECT_EQ(watch.on_exit(2, died_of(SIGKILL), kStart).exit_code, 128 + SIGINT);
}

TEST(SlotWatch, AStoppedOneIsNamedAfterTheDeadlineAndTheCodeIsThat) {
  SlotWatch watch = three();
  watch.on_exit(0, ended_with(4), kDeadline - kTellGrace);
  watch.on_exit(2, ended_with(4), kDeadline - kTellGrace);
  const SlotEffects effects = watch.on_time(kDeadline);
  EXPECT_EQ(effects.lines,
            std::vector<std::string>{"rank 5 (n1) did not end by the deadline: killed"});
  EXPECT_EQ(watch.on_exit(1, died_of(SIGKILL), kDeadline).exit_code, 4);
}

TEST(SlotWatch, NoWaitIsForEverNotEvenForWhatSigkillDoesNotEnd) {
  SlotWatch watch = three();
  watch.on_exit(1, died_of(SIGSEGV), kStart);
  watch.on_exit(0, died_of(SIGKILL), kStart);
  EXPECT_EQ(watch.next_deadline(), kStart + kKillGrace);
  EXPECT_FALSE(watch.on_time(kStart + kKillGrace - Duration(1)).exit_code);
  const SlotEffects effects = watch.on_time(kStart + kKillGrace);
  EXPECT_EQ(effects.lines, std::vector<std::string>{"rank 6 (n1): SIGKILL sent, still there"});
  EXPECT_EQ(effects.exit_code, 128 + SIGSEGV);
}

}  // namespace
}  // namespace muster::bench
