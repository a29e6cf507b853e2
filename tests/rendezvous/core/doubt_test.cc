#include "rendezvous/doubt.h"

#include <gtest/gtest.h>

#include "rendezvous/generation.h"

namespace muster::rendezvous {
namespace {

Generation generation(std::uint32_t epoch, std::uint32_t number) {
  return Generation{value_of(none_of_epoch(epoch)) + number};
}

Acknowledged roster_of_all(Generation generation) {
  return {generation, SeatSet::all()};
}

bool everybody(MemberIndex) {
  return true;
}

TEST(AcknowledgedRosters, KeepsTheNewestOfEachEpoch) {
  AcknowledgedRosters rosters;
  EXPECT_EQ(rosters.promised_epoch(), 0U);
  rosters.note(roster_of_all(generation(0, 1)));
  rosters.note(roster_of_all(generation(0, 2)));
  rosters.note(roster_of_all(generation(2, 1)));
  const std::vector<Acknowledged> list = rosters.list();
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].generation, generation(0, 2));
  EXPECT_EQ(list[1].generation, generation(2, 1));
  EXPECT_EQ(rosters.promised_epoch(), 2U);
}

TEST(Doubts, NobodyWhoAcknowledgedAnythingLeavesNoDoubt) {
  Doubts doubts(4);
  doubts.note_joined(MemberIndex{1}, {});
  EXPECT_EQ(doubts.open(everybody), std::nullopt);
}

TEST(Doubts, ARosterThatAllWhoAreHereAcknowledgedIsInDoubt) {
  Doubts doubts(4);
  doubts.note_joined(MemberIndex{1}, {roster_of_all(generation(0, 1))});
  doubts.note_joined(MemberIndex{2}, {roster_of_all(generation(0, 1))});
  EXPECT_EQ(doubts.open(everybody), generation(0, 1));
}

TEST(Doubts, AMemberOfItThatTakesPartAndDidNotAcknowledgeRefutesIt) {
  Doubts doubts(4);
  doubts.note_joined(MemberIndex{1}, {roster_of_all(generation(0, 1))});
  doubts.note_joined(MemberIndex{2}, {});
  EXPECT_EQ(doubts.open(everybody), std::nullopt);
  EXPECT_EQ(doubts.open([](MemberIndex member) { return member != MemberIndex{2}; }),
            generation(0, 1));
  doubts.note_gone(MemberIndex{2});
  EXPECT_EQ(doubts.open(everybody), generation(0, 1));
}

TEST(Doubts, OneThatWasNotInItRefutesNothing) {
  Doubts doubts(4);
  doubts.note_joined(MemberIndex{1}, {{generation(0, 1), SeatSet::from_bits("\x07")}});
  doubts.note_joined(MemberIndex{3}, {});
  EXPECT_EQ(doubts.open(everybody), generation(0, 1));
}

TEST(Doubts, ALaterRosterOfTheSameCoordinatorRefutesTheEarlier) {
  Doubts doubts(4);
  doubts.note_joined(MemberIndex{1}, {roster_of_all(generation(0, 1))});
  doubts.note_joined(MemberIndex{2}, {roster_of_all(generation(0, 2))});
  // 2 did not acknowledge the first (or did, and it was thrown away); 1 not the second.
  EXPECT_EQ(doubts.open(everybody), std::nullopt);
}

TEST(Doubts, OneThatGoesLeavesItsDoubtBehind) {
  Doubts doubts(4);
  doubts.note_joined(MemberIndex{1}, {roster_of_all(generation(0, 1))});
  doubts.note_gone(MemberIndex{1});
  EXPECT_EQ(doubts.open(everybody), generation(0, 1));
}

TEST(Doubts, EveryRosterMustBeRefutedByItself) {
  Doubts doubts(4);
  doubts.note_joined(MemberIndex{1}, {roster_of_all(generation(0, 1)),
                                      {generation(1, 1), SeatSet::from_bits("\x0e")}});
  doubts.note_joined(MemberIndex{2}, {roster_of_all(generation(0, 1))});
  EXPECT_EQ(doubts.open(everybody), generation(0, 1));
  doubts.note_joined(MemberIndex{0}, {});
  EXPECT_EQ(doubts.open(everybody), std::nullopt);
}

}  // namespace
}  // namespace muster::rendezvous
