#include "collectives-bench/localise/expectation.h"

#include <gtest/gtest.h>

namespace muster::bench::localise {
namespace {

TEST(Expectation, TheToleranceLowersTheFloor) {
  const Threshold recorded{ThresholdSource::kRecorded, 50, 0.04};
  EXPECT_DOUBLE_EQ(recorded.floor(), 48);
}

TEST(Expectation, APublishedFigureOnlyWarns) {
  EXPECT_FALSE((Threshold{ThresholdSource::kPublished, 50, 0}).stops());
  EXPECT_TRUE((Threshold{ThresholdSource::kRecorded, 50, 0}).stops());
  EXPECT_TRUE((Threshold{ThresholdSource::kMinimum, 50, 0}).stops());
}

TEST(Expectation, TheMissedOneThatStopsWeighsMost) {
  Expectation expected;
  expected.thresholds = {{ThresholdSource::kPublished, 50, 0},
                         {ThresholdSource::kMinimum, 30, 0},
                         {ThresholdSource::kRecorded, 45, 0.1}};
  EXPECT_EQ(expected.missed_by(51), nullptr);
  EXPECT_EQ(expected.missed_by(45)->source, ThresholdSource::kPublished);
  EXPECT_EQ(expected.missed_by(40)->source, ThresholdSource::kRecorded);
  EXPECT_EQ(expected.lowest(), 30.0);
}

TEST(Expectation, NothingKnownIsNeverMissed) {
  const Expectation nothing;
  EXPECT_FALSE(nothing.known());
  EXPECT_EQ(nothing.missed_by(0.001), nullptr);
  EXPECT_FALSE(nothing.lowest().has_value());
}

}  // namespace
}  // namespace muster::bench::localise
