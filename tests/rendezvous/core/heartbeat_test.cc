#include "rendezvous/heartbeat.h"

#include <gtest/gtest.h>

namespace muster::rendezvous {
namespace {

constexpr TimePoint kStart{};
constexpr Duration kSuspectAfter{6000};
constexpr Duration kRepeat{15000};

TimePoint after(int ms) {
  return kStart + Duration(ms);
}

TEST(Heartbeat, BeatsOncePerInterval) {
  Pulse pulse(kStart);
  EXPECT_FALSE(pulse.advance(after(249)).due);
  EXPECT_TRUE(pulse.advance(after(250)).due);
  EXPECT_FALSE(pulse.advance(after(499)).due);
  EXPECT_EQ(pulse.next(), after(500));
}

TEST(Heartbeat, SeesThatTheOwnLoopStoodStill) {
  Pulse pulse(kStart);
  EXPECT_EQ(pulse.advance(after(3250)).gap, Duration::zero());
  EXPECT_EQ(pulse.advance(after(3500 + 3001)).gap, Duration(3001));
}

TEST(Heartbeat, WantsAPingAfterASecondWithoutWords) {
  Link link(kStart);
  EXPECT_FALSE(link.wants_ping(after(999)));
  EXPECT_TRUE(link.wants_ping(after(1000)));
  link.note_sent(after(1000));
  EXPECT_FALSE(link.wants_ping(after(1999)));
}

TEST(Heartbeat, SuspectsOnceAndRepeatsLater) {
  Link link(kStart);
  EXPECT_FALSE(link.check(after(5999), kSuspectAfter, kRepeat));
  EXPECT_EQ(link.check(after(6000), kSuspectAfter, kRepeat), Duration(6000));
  EXPECT_FALSE(link.check(after(6250), kSuspectAfter, kRepeat));
  EXPECT_EQ(link.check(after(21000), kSuspectAfter, kRepeat), Duration(21000));
}

TEST(Heartbeat, AWordEndsTheSuspicion) {
  Link link(kStart);
  link.check(after(6000), kSuspectAfter, kRepeat);
  EXPECT_TRUE(link.is_suspect());
  EXPECT_TRUE(link.note_heard(after(7000)));
  EXPECT_FALSE(link.note_heard(after(7001)));
  EXPECT_FALSE(link.check(after(12000), kSuspectAfter, kRepeat));
}

TEST(Heartbeat, ForgivenSilenceBeginsAnew) {
  Link link(kStart);
  link.forgive(after(60000));
  EXPECT_FALSE(link.check(after(65000), kSuspectAfter, kRepeat));
  EXPECT_TRUE(link.check(after(66000), kSuspectAfter, kRepeat));
}

}  // namespace
}  // namespace muster::rendezvous
