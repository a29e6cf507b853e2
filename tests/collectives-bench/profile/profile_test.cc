#include "collectives-bench/profile/profile.h"

#include <gtest/gtest.h>

namespace muster::bench {
namespace {

constexpr std::uint64_t kMega = 1ULL << 20;
constexpr std::uint64_t kGiga = 1ULL << 30;

BusbwRow row(std::uint32_t nodes, std::vector<BusbwPoint> points,
             FigureKind kind = FigureKind::kPublished, std::string algorithm = "") {
  return {"all_reduce", nodes, 8, std::move(algorithm), kind, 0.1, std::move(points)};
}

Profile make_profile() {
  Profile profile;
  profile.name = "test";
  profile.sources = {{"a", "page A"}};
  profile.busbw = {
      row(1, {{kGiga, 480, "a"}}, FigureKind::kPublished, "NVLS"),
      row(1, {{kGiga, 365, "a"}}, FigureKind::kPublished, "Ring"),
      row(2, {{256 * kMega, 360, "a"}, {kGiga, 440, "a"}}),
      row(4, {{256 * kMega, 270, "a"}, {kGiga, 280, "a"}, {2 * kGiga, 350, "a", true}}),
  };
  return profile;
}

std::optional<ExpectedBusbw> expect(const Profile& profile, std::uint32_t nodes,
                                    std::uint64_t bytes, std::string_view algorithm = {}) {
  return expect_busbw(profile, {"all_reduce", nodes, 8, bytes, algorithm});
}

TEST(ExpectBusbw, GivesTheFigureOfTheTableWithItsSource) {
  const auto found = expect(make_profile(), 2, kGiga);
  ASSERT_TRUE(found);
  EXPECT_EQ(*found,
            (ExpectedBusbw{440, 440 * 0.9, FigureKind::kPublished, false, 2, "", "page A"}));
}

TEST(ExpectBusbw, GoesStraightOverTheLogarithmOfTheSize) {
  const auto found = expect(make_profile(), 2, 512 * kMega);
  ASSERT_TRUE(found);
  EXPECT_DOUBLE_EQ(found->busbw, 400);
  EXPECT_TRUE(found->is_estimate);
}

TEST(ExpectBusbw, KeepsTheLowerFigureUpToAStep) {
  const auto found = expect(make_profile(), 4, 3 * kGiga / 2);
  ASSERT_TRUE(found);
  EXPECT_DOUBLE_EQ(found->busbw, 280);
  EXPECT_DOUBLE_EQ(expect(make_profile(), 4, 2 * kGiga)->busbw, 350);
}

TEST(ExpectBusbw, ExpectsNothingBelowTheTableAndTheLastFigureAboveIt) {
  EXPECT_FALSE(expect(make_profile(), 2, 8));
  const auto above = expect(make_profile(), 2, 16 * kGiga);
  ASSERT_TRUE(above);
  EXPECT_DOUBLE_EQ(above->busbw, 440);
  EXPECT_TRUE(above->is_estimate);
}

TEST(ExpectBusbw, TakesTheLowerOfTheNeighboursBetweenTwoRows) {
  const auto three = expect(make_profile(), 3, kGiga);
  ASSERT_TRUE(three);
  EXPECT_DOUBLE_EQ(three->busbw, 280);
  EXPECT_TRUE(three->is_estimate);
  const auto many = expect(make_profile(), 64, kGiga);
  ASSERT_TRUE(many);
  EXPECT_EQ(many->nodes, 4U);
  EXPECT_TRUE(many->is_estimate);
}

TEST(ExpectBusbw, NeverTakesOneNodeForSeveral) {
  Profile profile = make_profile();
  std::erase_if(profile.busbw, [](const BusbwRow& one) { return one.nodes > 1; });
  EXPECT_FALSE(expect(profile, 2, kGiga));
  profile = make_profile();
  std::erase_if(profile.busbw, [](const BusbwRow& one) { return one.nodes == 1; });
  EXPECT_FALSE(expect(profile, 1, kGiga));
}

TEST(ExpectBusbw, KnowsOnlyItsOwnOperationsAndShapes) {
  EXPECT_FALSE(expect_busbw(make_profile(), {"all_gather", 2, 8, kGiga}));
  EXPECT_FALSE(expect_busbw(make_profile(), {"all_reduce", 2, 5, kGiga}));
  EXPECT_FALSE(expect_busbw(Profile{}, {"all_reduce", 2, 8, kGiga}));
}

TEST(ExpectBusbw, ReadsTheRowOfTheAlgorithmThatIsInUse) {
  EXPECT_DOUBLE_EQ(expect(make_profile(), 1, kGiga)->busbw, 480);
  EXPECT_DOUBLE_EQ(expect(make_profile(), 1, kGiga, "Ring")->busbw, 365);
  EXPECT_FALSE(expect(make_profile(), 1, kGiga, "Tree"));
  EXPECT_DOUBLE_EQ(expect(make_profile(), 2, kGiga, "Tree")->busbw, 440);
}

TEST(ExpectBusbw, PrefersWhatWasRecordedAndMayStopForThatAlone) {
  Profile profile = make_profile();
  profile.busbw.push_back(row(2, {{kGiga, 400, "a"}}, FigureKind::kRecorded));
  const auto recorded = expect(profile, 2, kGiga);
  ASSERT_TRUE(recorded);
  EXPECT_DOUBLE_EQ(recorded->busbw, 400);
  EXPECT_TRUE(recorded->may_stop());
  EXPECT_FALSE(expect(profile, 2, 2 * kGiga)->may_stop()) << "an estimate";
  EXPECT_FALSE(expect(profile, 4, kGiga)->may_stop()) << "published";
  EXPECT_EQ(expect(profile, 2, 256 * kMega)->kind, FigureKind::kPublished)
      << "nothing was recorded at that size";
}

}  // namespace
}  // namespace muster::bench
