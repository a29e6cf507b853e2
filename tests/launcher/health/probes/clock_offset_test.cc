#include "launcher/health/probes/clock_offset.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <random>

#include "launcher/health/probes/probe_limits.h"

namespace muster::health {
namespace {

using Reading = Fact<ClockReading>;

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kNoon = 1'790'000'000 * kSecond;

// A node whose clock is `ahead`, that hears after `there`, works, and is heard after `back`.
ClockExchange exchange(std::int64_t ahead, std::int64_t there, std::int64_t works,
                       std::int64_t back) {
  const std::int64_t asked = 5 * kSecond;
  const std::int64_t heard = kNoon + ahead + there;
  return {asked, heard, heard + works, asked + there + works + back};
}

TEST(ClockOffset, IsExactWhereBothWaysTakeAsLong) {
  const Reading reading = read_clock(exchange(0, 300, 4 * kSecond, 300));
  EXPECT_EQ(reading, Reading(ClockReading{kNoon - 5 * kSecond, 300 + 4000 + 1}));
}

TEST(ClockOffset, IsNeverFurtherFromTheTruthThanItsUncertainty) {
  std::mt19937 random(3);
  for (int round = 0; round < 10'000; ++round) {
    const auto draw = [&random](std::int64_t limit) {
      return static_cast<std::int64_t>(random()) % limit;
    };
    const std::int64_t ahead = draw(20 * kSecond) - 10 * kSecond;
    const ClockExchange one =
        exchange(ahead, draw(kSecond), draw(16 * kSecond), draw(1 + draw(kSecond)) + 1);
    const Reading reading = read_clock(one);
    ASSERT_TRUE(reading.value) << reading.absent;
    const std::int64_t error = reading.value->us - (kNoon - 5 * kSecond + ahead);
    ASSERT_LE(std::abs(error), reading.value->uncertainty_us) << "round " << round;
  }
}

TEST(ClockOffset, IsNotToldWhereTheNodeDidNotOrItsClockWasSet) {
  EXPECT_EQ(read_clock({1, 0, 0, 9}).absent, "was not told by its agent");
  ClockExchange set = exchange(0, 100, kSecond, 100);
  set.answered += 3600 * kSecond;
  EXPECT_EQ(read_clock(set).absent, "could not be told: its clock was set during the look");
  set.answered -= 7200 * kSecond;
  EXPECT_FALSE(read_clock(set).value);
  // A clock that is slewed is not one that was set.
  ClockExchange slewed = exchange(0, 100, 10 * kSecond, 100);
  slewed.answered += 5000;
  EXPECT_TRUE(read_clock(slewed).value);
}

TEST(ClockOffset, IsAgainstTheMedianNodeWhateverTheCoordinatorsZero) {
  for (const std::int64_t zero : {std::int64_t{0}, kNoon, -kNoon}) {
    const std::vector<Reading> offsets =
        offsets_from_median({ClockReading{zero + 500, 40}, ClockReading{zero, 10}, Reading(),
                             ClockReading{zero + 3 * kSecond, 20}});
    EXPECT_EQ(offsets[1].value->us, -500);
    EXPECT_EQ(offsets[0].value->us, 0);
    EXPECT_EQ(offsets[3].value->us, 3 * kSecond - 500);
    EXPECT_EQ(offsets[2].absent, "was not asked");
    EXPECT_TRUE(offsets[3].value->is_surely_beyond(kClockOffsetWarnUs));
  }
}

TEST(ClockOffset, AMinorityOfBadReadingsDoesNotSpoilTheOthers) {
  std::vector<Reading> readings(5, ClockReading{0, 200});
  readings[0] = ClockReading{9 * kSecond, 8 * kSecond};
  readings[1] = ClockReading{-kNoon, 200};
  const std::vector<Reading> offsets = offsets_from_median(readings);
  EXPECT_LE(offsets[4].value->uncertainty_us, 400);
  EXPECT_TRUE(offsets[4].value->is_surely_within(kClockOffsetWarnUs));
  EXPECT_TRUE(offsets[1].value->is_surely_beyond(kClockOffsetFailUs));
}

TEST(ClockOffset, NeedsASecondNodeAndAMajority) {
  EXPECT_TRUE(offsets_from_median({}).empty());
  EXPECT_EQ(offsets_from_median({ClockReading{5, 1}})[0].absent, "needs a second node");
  const std::vector<Reading> apart =
      offsets_from_median({ClockReading{0, 1}, ClockReading{kSecond, 1}});
  EXPECT_EQ(apart[0].absent, kClocksDiffer);
  EXPECT_EQ(apart[1].absent, kClocksDiffer);
  EXPECT_TRUE(offsets_from_median({ClockReading{0, 1}, ClockReading{900, 1}})[1].value);
}

// The median of the truth is where the header says, however the readings err within their bounds.
TEST(ClockOffset, DifferencesHoldTheTruthToo) {
  std::mt19937 random(4);
  const auto draw = [&random](std::int64_t limit) {
    return static_cast<std::int64_t>(random()) % limit;
  };
  for (int round = 0; round < 2000; ++round) {
    std::vector<std::int64_t> truths;
    std::vector<Reading> readings;
    for (int node = 0; node < 3 + round % 6; ++node) {
      truths.push_back(draw(kSecond));
      const std::int64_t doubt = 1 + draw(50'000);
      readings.push_back(ClockReading{truths.back() + draw(2 * doubt + 1) - doubt, doubt});
    }
    std::vector<std::int64_t> sorted = truths;
    std::sort(sorted.begin(), sorted.end());
    const std::int64_t median = sorted[(sorted.size() - 1) / 2];
    const std::vector<Reading> differences = differences_from_median(readings);
    for (std::size_t i = 0; i < truths.size(); ++i) {
      ASSERT_LE(std::abs(differences[i].value->us - (truths[i] - median)),
                differences[i].value->uncertainty_us)
          << "round " << round;
    }
  }
}

}  // namespace
}  // namespace muster::health
