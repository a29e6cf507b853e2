#include "rendezvous/succession.h"

#include <gtest/gtest.h>

namespace muster::rendezvous {
namespace {

const TimePoint kStart{};

TEST(Succession, TheFirstNodeTakesTheRoleAtOnce) {
  EXPECT_EQ(Succession(0U, kStart).due(), kStart);
}

TEST(Succession, OneThatNeverLeadsIsNeverDue) {
  Succession succession(std::nullopt, kStart);
  EXPECT_EQ(succession.due(), TimePoint::max());
  succession.note_lost(0, kStart);
  EXPECT_EQ(succession.due(), TimePoint::max());
  EXPECT_EQ(Succession(kMaxSuccessors, kStart).due(), TimePoint::max());
}

TEST(Succession, WhereNobodyWasMetEachWaitsLongerThanTheOneBefore) {
  EXPECT_EQ(Succession(1U, kStart).due(), kStart + kFirstPatience);
  EXPECT_EQ(Succession(2U, kStart).due(), kStart + 2 * kFirstPatience);
}

TEST(Succession, TheNextOneFollowsALostCoordinatorSoonAndTheOthersLater) {
  const TimePoint lost = kStart + std::chrono::seconds(7);
  Succession next(1U, kStart);
  next.note_lost(0, lost);
  EXPECT_EQ(next.due(), lost + kTakeoverGrace);
  Succession second(2U, kStart);
  second.note_lost(0, lost);
  EXPECT_EQ(second.due(), lost + kTakeoverGrace + kTakeoverStep);
}

TEST(Succession, TheRoleNeverMovesBack) {
  Succession succession(1U, kStart);
  succession.note_lost(2, kStart);
  EXPECT_EQ(succession.due(), TimePoint::max());
  succession.note_lost(0, kStart);  // an older loss changes nothing
  EXPECT_EQ(succession.due(), TimePoint::max());
}

TEST(Succession, OneThatBrokeOffUnprovenOnlyHurriesTheNext) {
  Succession succession(1U, kStart);
  succession.note_broken_off(kStart);
  EXPECT_EQ(succession.due(), kStart + kTakeoverGrace);
  succession.note_broken_off(kStart + std::chrono::seconds(1));  // once
  EXPECT_EQ(succession.due(), kStart + kTakeoverGrace);
}

TEST(Succession, WhereNobodyListensTheNextOneDoesNotWaitLong) {
  EXPECT_EQ(Succession(1U, kStart).due(1), kStart + kClosedPatience);
  EXPECT_EQ(Succession(2U, kStart).due(1), kStart + kClosedPatience + kFirstPatience);
  EXPECT_EQ(Succession(2U, kStart).due(2), kStart + 2 * kClosedPatience);
}

TEST(Succession, TimeLostByStandingStillDoesNotCount) {
  Succession succession(1U, kStart);
  succession.note_lost(0, kStart);
  succession.forgive(std::chrono::seconds(30));
  EXPECT_EQ(succession.due(), kStart + kTakeoverGrace + std::chrono::seconds(30));
}

}  // namespace
}  // namespace muster::rendezvous
