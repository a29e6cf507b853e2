#include "launcher/process/stop_ladder.h"

#include <gtest/gtest.h>

namespace muster::process {
namespace {

using namespace std::chrono_literals;
using Actions = std::vector<StopAction>;
using enum StopAction;

constexpr TimePoint kStart{};

TEST(StopLadder, ClimbsFromTermToKillWithinTheGrace) {
  StopLadder ladder(StopPlan{.grace = 9s, .kill_wait = 2s}, kStart);
  EXPECT_EQ(ladder.step(kStart), Actions{kSendFirst});
  EXPECT_EQ(ladder.next_deadline(), kStart + 9s);
  EXPECT_EQ(ladder.step(kStart + 8999ms), Actions{});
  EXPECT_EQ(ladder.step(kStart + 9s), Actions{kSendKill});
  EXPECT_TRUE(ladder.kill_sent());
  EXPECT_EQ(ladder.step(kStart + 11s), Actions{kReportStuck});
  EXPECT_EQ(ladder.next_deadline(), std::nullopt);
}

TEST(StopLadder, SendsTermBetweenAnotherFirstSignalAndKill) {
  StopLadder ladder(StopPlan{.first_signal = SIGINT, .grace = 9s}, kStart);
  EXPECT_EQ(ladder.step(kStart), Actions{kSendFirst});
  EXPECT_EQ(ladder.step(kStart + 6s), Actions{kSendTerm});
  EXPECT_EQ(ladder.step(kStart + 9s), Actions{kSendKill});
}

TEST(StopLadder, DoesNotRepeatASignalThatWorkersHave) {
  StopLadder ladder(StopPlan{.first_signal_sent = true, .grace = 1s}, kStart);
  EXPECT_EQ(ladder.step(kStart), Actions{});
  EXPECT_EQ(ladder.step(kStart + 1s), Actions{kSendKill});
}

TEST(StopLadder, GivesEverythingThatIsOverdueAfterAStall) {
  StopLadder ladder(StopPlan{.first_signal = SIGINT, .grace = 9s, .kill_wait = 1s}, kStart);
  EXPECT_EQ(ladder.step(kStart + 1h), (Actions{kSendFirst, kSendTerm, kSendKill, kReportStuck}));
}

TEST(StopLadder, HurryKillsAtOnceAndOnlyOnce) {
  StopLadder ladder(StopPlan{.grace = 9s, .kill_wait = 2s}, kStart);
  ladder.step(kStart);
  ladder.hurry(kStart + 1s);
  EXPECT_EQ(ladder.step(kStart + 1s), Actions{kSendKill});
  ladder.hurry(kStart + 2s);
  EXPECT_EQ(ladder.step(kStart + 2s), Actions{});
  EXPECT_EQ(ladder.next_deadline(), kStart + 3s);
}

TEST(StopLadder, TightensButNeverLoosens) {
  StopLadder ladder(StopPlan{.grace = 9s}, kStart);
  ladder.step(kStart);
  ladder.tighten(StopPlan{.grace = 20s}, kStart + 1s);
  EXPECT_EQ(ladder.next_deadline(), kStart + 9s);
  ladder.tighten(StopPlan{.first_signal_sent = true, .grace = 2s}, kStart + 1s);
  EXPECT_EQ(ladder.next_deadline(), kStart + 3s);
  ladder.step(kStart + 3s);
  ladder.tighten(StopPlan{.grace = 0s}, kStart + 4s);
  EXPECT_EQ(ladder.step(kStart + 4s), Actions{});
}

TEST(StopLadder, KillAsFirstSignalIsKillAtOnce) {
  StopLadder ladder(StopPlan{.first_signal = SIGKILL, .grace = 9s}, kStart);
  EXPECT_EQ(ladder.step(kStart), Actions{kSendKill});
}

}  // namespace
}  // namespace muster::process
