#include "rendezvous/sightings.h"

#include <gtest/gtest.h>

namespace muster::rendezvous {
namespace {

using Places = std::vector<std::uint32_t>;
using Ports = std::vector<Endpoint>;

const Endpoint kFirst{"10.0.0.1", 12000};
const Endpoint kSecond{"10.0.0.2", 12000};

TEST(Sightings, OneThatWasNeverSeenMayBeLate) {
  Sightings sightings(3);
  sightings.note_round({0, 1}, {});
  EXPECT_EQ(sightings.gone(), Places{});
  EXPECT_EQ(sightings.closed_before(2), 2u);
  EXPECT_EQ(sightings.closed_before(1), 1u);
}

TEST(Sightings, OneThatGreetedIsGoneWhenNobodyListensThereAnyMore) {
  Sightings sightings(3);
  sightings.note_open(0);
  sightings.note_greeting(0, kFirst);
  EXPECT_FALSE(sightings.is_gone(0));
  sightings.note_round({0}, {kSecond});
  EXPECT_FALSE(sightings.is_gone(0));
  sightings.note_round({}, {kFirst});  // at another of its ports a stranger may sit
  EXPECT_EQ(sightings.gone(), Places{0});
}

TEST(Sightings, ADoorThatOpenedAndClosedIsAsGoodAsAGreeting) {
  Sightings sightings(3);
  sightings.note_open(1);
  sightings.note_broken_off(1, kSecond);
  EXPECT_FALSE(sightings.is_gone(1));  // a stranger may, and goes on listening
  sightings.note_round({0, 1}, {kSecond});
  EXPECT_EQ(sightings.gone(), Places{1});
}

TEST(Sightings, AStrangerAtAnotherPortDoesNotHideTheOneWhoGreeted) {
  Sightings sightings(3);
  sightings.note_greeting(0, kFirst);
  sightings.note_broken_off(0, {"10.0.0.1", 12001});
  sightings.note_round({}, {kFirst});
  EXPECT_EQ(sightings.gone(), Places{0});
}

TEST(Sightings, OneThatGreetsAgainIsNotGone) {
  Sightings sightings(3);
  sightings.note_gone(0);
  sightings.note_greeting(0, kFirst);
  EXPECT_EQ(sightings.gone(), Places{});
}

TEST(Sightings, ADoorThatAnswersAgainIsNotClosed) {
  Sightings sightings(2);
  sightings.note_round({0}, {});
  sightings.note_open(0);
  EXPECT_EQ(sightings.closed_before(1), 0u);
  sightings.note_round({0}, {});
  sightings.note_round({}, {});
  EXPECT_EQ(sightings.closed_before(1), 0u);
}

TEST(Sightings, OneThatMayHaveMadeRoomForALaterOneIsNotGoneForThat) {
  Sightings sightings(3);
  sightings.note_greeting(0, kFirst);
  sightings.note_followed(1);
  sightings.note_round({0}, {kFirst});
  EXPECT_EQ(sightings.gone(), Places{});
}

TEST(Sightings, TheNewestThatIsGoneIsTheOneBeforeUs) {
  Sightings sightings(4);
  EXPECT_EQ(sightings.newest_gone_before(3), std::nullopt);
  sightings.note_gone(0);
  sightings.note_gone(2);
  EXPECT_EQ(sightings.newest_gone_before(3), 2u);
  EXPECT_EQ(sightings.newest_gone_before(2), 0u);
  EXPECT_EQ(sightings.newest_gone_before(0), std::nullopt);
}

}  // namespace
}  // namespace muster::rendezvous
