#include "collectives-bench/localise/pair_record.h"

#include <gtest/gtest.h>

#include <limits>

#include "tests/collectives-bench/localise/rounds_by_hand.h"

namespace muster::bench::localise {
namespace {

TEST(PairRecord, AHangBlamesTheSilentUnlessAllWere) {
  PairRecord record;
  record.add(
      pair_round({{0, 1}, {2, 3}, {4, 5}}),
      {trouble(OutcomeKind::kHung, "", {NodeIndex{1}}),
       trouble(OutcomeKind::kHung, "", {NodeIndex{2}, NodeIndex{3}}), trouble(OutcomeKind::kHung)});
  EXPECT_EQ(record.observations()[0].blamed, std::vector<std::uint32_t>{1});
  EXPECT_EQ(record.observations()[1].blamed, (std::vector<std::uint32_t>{2, 3}));
  EXPECT_EQ(record.observations()[2].blamed, (std::vector<std::uint32_t>{4, 5}));
  EXPECT_EQ(record.troubles(0), 0u);
  EXPECT_EQ(record.troubles(1), 1u);
}

TEST(PairRecord, ABandwidthThatIsNoPositiveNumberWasNoMeasurement) {
  PairRecord record;
  record.add(pair_round({{0, 1}, {2, 3}, {4, 5}}),
             {measured(0), measured(std::numeric_limits<double>::quiet_NaN()), measured(-1)});
  for (const Observation& seen : record.observations()) {
    EXPECT_EQ(seen.kind, OutcomeKind::kFailed);
    EXPECT_NE(seen.text.find("positive"), std::string::npos);
  }
  EXPECT_TRUE(record.samples().empty());
}

TEST(PairRecord, AnotherAlgorithmThanMostIsNotCompared) {
  PairRecord record;
  record.add(
      pair_round({{0, 1}, {2, 3}, {4, 5}, {6, 7}}),
      {measured(40, "NVLSTREE"), measured(20, "RING"), measured(40, "NVLSTREE"), measured(39)});
  EXPECT_EQ(record.algorithm(), "NVLSTREE");
  EXPECT_TRUE(record.is_odd(record.observations()[1]));
  EXPECT_EQ(record.samples().size(), 3u);
}

TEST(PairRecord, KnowsTheObservationsOfANode) {
  PairRecord record;
  record.add(pair_round({{0, 1}}), {measured(40)});
  record.add(pair_round({{0, 2}}, RoundKind::kConfirm), {measured(41)});
  ASSERT_EQ(record.of(0).size(), 2u);
  EXPECT_FALSE(record.of(0)[0]->confirm);
  EXPECT_TRUE(record.of(0)[1]->confirm);
  EXPECT_EQ(record.of(0)[1]->partner_of(0), 2u);
  EXPECT_TRUE(record.of(9).empty());
}

TEST(PairRecord, AnotherLookTakesWhatWasConfirmedForItsBeginning) {
  PairRecord record;
  EXPECT_FALSE(record.level());
  record.add(pair_round({{0, 1}}), {trouble(OutcomeKind::kFailed)});
  record.add(pair_round({{0, 1}}, RoundKind::kConfirm), {measured(41)});
  EXPECT_EQ(record.troubles(0), 1u);
  EXPECT_TRUE(record.by_pair().empty());
  record.begin_again();
  EXPECT_EQ(record.troubles(0), 0u);
  EXPECT_EQ(record.by_pair().at({0, 1}), std::vector<double>{41});
  record.add(pair_round({{0, 1}}, RoundKind::kConfirm), {measured(43)});
  EXPECT_EQ(record.by_pair().at({0, 1}), std::vector<double>{41});
  EXPECT_EQ(record.level(), 42);
}

}  // namespace
}  // namespace muster::bench::localise
