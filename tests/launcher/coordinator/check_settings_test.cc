#include "launcher/coordinator/check_settings.h"

#include <gtest/gtest.h>

namespace muster::launcher {
namespace {

using bench::localise::RoundKind;
using bench::localise::ThresholdSource;

constexpr std::uint64_t kMiB = 1 << 20;

bench::Profile profile_with(bench::FigureKind kind) {
  bench::Profile profile;
  profile.name = "mine";
  profile.sources["run"] = "job 1";
  for (const std::uint32_t nodes : {1u, 2u, 4u}) {
    profile.busbw.push_back(
        {"all_reduce", nodes, 8, "Ring", kind, 0.1, {{512 * kMiB, 100.0 * nodes, "run"}}});
  }
  return profile;
}

CheckWishes wishes_for(bench::BackendKind backend) {
  CheckWishes wishes;
  wishes.spec.backend = backend;
  wishes.spec.sizes = default_sizes(backend);
  wishes.deadline = std::chrono::seconds(60);
  return wishes;
}

TEST(CheckSettings, ARecordedFigureOfTheShapeMayStop) {
  const auto settings = check_settings(wishes_for(bench::BackendKind::kNccl),
                                       profile_with(bench::FigureKind::kRecorded), {4, 8});
  ASSERT_EQ(settings.world_expected.thresholds.size(), 1u);
  EXPECT_EQ(settings.world_expected.thresholds[0].source, ThresholdSource::kRecorded);
  EXPECT_DOUBLE_EQ(settings.world_expected.thresholds[0].busbw, 400);
  EXPECT_NEAR(settings.world_expected.thresholds[0].floor(), 360, 1e-9);
  EXPECT_DOUBLE_EQ(settings.intra_expected.thresholds[0].busbw, 100);
  EXPECT_DOUBLE_EQ(settings.pairs_expected.thresholds[0].busbw, 200);
  EXPECT_EQ(settings.world_expected.algorithm, "Ring");
}

TEST(CheckSettings, AFigureOfAnotherShapeOnlyWarns) {
  const auto settings = check_settings(wishes_for(bench::BackendKind::kNccl),
                                       profile_with(bench::FigureKind::kRecorded), {3, 8});
  ASSERT_EQ(settings.world_expected.thresholds.size(), 1u);
  EXPECT_EQ(settings.world_expected.thresholds[0].source, ThresholdSource::kEstimated);
  EXPECT_FALSE(settings.world_expected.thresholds[0].stops());
}

TEST(CheckSettings, PublishedFiguresAreNcclsAndNothingForTheFabric) {
  const bench::Profile published = profile_with(bench::FigureKind::kPublished);
  CheckWishes fabric = wishes_for(bench::BackendKind::kFabric);
  fabric.spec.sizes = default_sizes(bench::BackendKind::kNccl);
  EXPECT_FALSE(check_settings(fabric, published, {4, 8}).world_expected.known());
  const auto nccl = check_settings(wishes_for(bench::BackendKind::kNccl), published, {4, 8});
  EXPECT_EQ(nccl.world_expected.thresholds.at(0).source, ThresholdSource::kPublished);
}

TEST(CheckSettings, TheUsersMinimumIsForAllNodesOnly) {
  CheckWishes wishes = wishes_for(bench::BackendKind::kFabric);
  wishes.min_busbw = 3;
  const auto settings = check_settings(wishes, {}, {4, 1});
  ASSERT_EQ(settings.world_expected.thresholds.size(), 1u);
  EXPECT_EQ(settings.world_expected.thresholds[0].source, ThresholdSource::kMinimum);
  EXPECT_FALSE(settings.pairs_expected.known());
}

TEST(CheckSettings, OfOneNodeTheMinimumIsForTheRoundInsideIt) {
  CheckWishes wishes = wishes_for(bench::BackendKind::kNccl);
  wishes.min_busbw = 300;
  const auto settings = check_settings(wishes, {}, {1, 8});
  ASSERT_EQ(settings.intra_expected.thresholds.size(), 1u);
  EXPECT_EQ(settings.intra_expected.thresholds[0].source, ThresholdSource::kMinimum);
}

TEST(CheckSettings, TheSearchMeasuresTheLargestSizeOutOfPlaceOnly) {
  const CheckWishes wishes = wishes_for(bench::BackendKind::kFabric);
  bench::localise::Round round;
  round.deadline = std::chrono::seconds(7);
  round.work.bytes = judged_bytes(wishes.spec);
  round.work.iterations = 11;
  round.kind = RoundKind::kWorld;
  EXPECT_EQ(spec_of(wishes, round).sizes, wishes.spec.sizes);
  EXPECT_TRUE(spec_of(wishes, round).in_place);
  round.kind = RoundKind::kPairs;
  const bench::CheckSpec spec = spec_of(wishes, round);
  EXPECT_EQ(spec.sizes.min_bytes, 16 * kMiB);
  EXPECT_EQ(spec.sizes.max_bytes, 16 * kMiB);
  EXPECT_EQ(spec.iterations, 11u);
  EXPECT_EQ(spec.deadline, std::chrono::seconds(7));
  EXPECT_FALSE(spec.in_place);
}

TEST(CheckSettings, GpusAreMeasuredWhereTheTablesBegin) {
  EXPECT_EQ(default_sizes(bench::BackendKind::kNccl).max_bytes, 512 * kMiB);
  CheckWishes odd = wishes_for(bench::BackendKind::kNccl);
  odd.spec.sizes.max_bytes = 600 * kMiB;
  EXPECT_EQ(judged_bytes(odd.spec), 512 * kMiB) << "what is really measured";
}

TEST(CheckSettings, AShortDeadlineLeavesTimeForTheStart) {
  CheckWishes wishes = wishes_for(bench::BackendKind::kFabric);
  wishes.deadline = std::chrono::seconds(8);
  const auto settings = check_settings(wishes, {}, {4, 1});
  EXPECT_EQ(settings.deadline.start, std::chrono::seconds(2));
  EXPECT_EQ(settings.deadline.unknown, std::chrono::seconds(8));
}

}  // namespace
}  // namespace muster::launcher
