#include "launcher/report/pair_grid.h"

#include <gtest/gtest.h>

#include "tests/launcher/report/documents.h"

namespace muster::report {
namespace {

PairGrid grid_of(const nlohmann::json& document, PairKind kind = PairKind::kNodes) {
  return make_pair_grid(*parse_document(document.dump()), kind);
}

nlohmann::json pairs_document(const nlohmann::json& pairs) {
  return {{"nodes", {{{"host", "b"}}, {{"host", "a"}}, {{"host", "c"}}}}, {"pairs", pairs}};
}

TEST(PairGrid, KeepsTheOrderOfTheNodesAndTakesTheMedianOfTheRounds) {
  const PairGrid grid = grid_of(pairs_document({{{"a", "a"}, {"b", "b"}, {"busbw", 1}},
                                                {{"a", "b"}, {"b", "a"}, {"busbw", 9}},
                                                {{"a", "a"}, {"b", "b"}, {"busbw", 2}}}));
  EXPECT_EQ(grid.hosts, (Texts{"b", "a", "c"}));
  ASSERT_EQ(grid.cells.size(), 1u);
  EXPECT_EQ(grid.cells[0].a, 0u);
  EXPECT_EQ(grid.cells[0].b, 1u);
  EXPECT_EQ(grid.cells[0].median, 2);
  EXPECT_EQ(grid.cells[0].times, 3u);
}

TEST(PairGrid, AHangOutweighsAFigure) {
  const PairGrid grid = grid_of(hung_document());
  ASSERT_EQ(grid.cells.size(), 5u);
  const PairCell& hung = grid.cells[2];
  EXPECT_EQ(hung.a, 1u);
  EXPECT_EQ(hung.b, 2u);
  EXPECT_EQ(hung.outcome, PairOutcome::kHung);
  EXPECT_EQ(hung.measured, 1u);
  EXPECT_EQ(hung.median, 96);
}

TEST(PairGrid, TheReferenceIsThatOfPairsOfWhichNothingIsAccused) {
  // Of three nodes with one slow, two pairs of three are slow: the plain median would be too.
  nlohmann::json document = pairs_document({{{"a", "a"}, {"b", "b"}, {"busbw", 97}},
                                            {{"a", "a"}, {"b", "c"}, {"busbw", 40}},
                                            {{"a", "b"}, {"b", "c"}, {"busbw", 41}}});
  EXPECT_EQ(grid_of(document).reference, 41);
  document["unfit"] = {{{"host", "c"}}};
  EXPECT_TRUE(grid_of(document).is_of_good_pairs);
  EXPECT_EQ(grid_of(document).reference, 97);
}

TEST(PairGrid, WhereAllAreAccusedAllCount) {
  nlohmann::json document = pairs_document({{{"a", "a"}, {"b", "b"}, {"busbw", 4}}});
  document["links"] = {{{"a", "b"}, {"b", "a"}}};
  const PairGrid grid = grid_of(document);
  EXPECT_FALSE(grid.is_of_good_pairs);
  EXPECT_EQ(grid.reference, 4);
}

TEST(PairGrid, RailsAreApart) {
  const auto pairs = pairs_document({{{"a", "a"}, {"b", "b"}, {"kind", "rails"}, {"busbw", 1}},
                                     {{"a", "a"}, {"b", "c"}, {"kind", "pairs"}, {"busbw", 8}}});
  EXPECT_EQ(grid_of(pairs).cells.size(), 1u);
  EXPECT_EQ(grid_of(pairs).reference, 8);
  EXPECT_EQ(grid_of(pairs, PairKind::kRails).reference, 1);
}

TEST(PairGrid, HostsThatOnlyPairsNameComeLastAndANodeIsNoPairWithItself) {
  const PairGrid grid = grid_of(pairs_document(
      {{{"a", "z"}, {"b", "c"}, {"busbw", 1}}, {{"a", "q"}, {"b", "q"}, {"busbw", 1}}}));
  EXPECT_EQ(grid.hosts, (Texts{"b", "a", "c", "z"}));
  EXPECT_EQ(grid.cells.size(), 1u);
}

TEST(PairGrid, MediansOfOddAndEvenCounts) {
  EXPECT_EQ(median_of({}), 0);
  EXPECT_EQ(median_of({3}), 3);
  EXPECT_EQ(median_of({9, 1, 5}), 5);
  EXPECT_EQ(median_of({9, 1, 5, 3}), 4);
}

}  // namespace
}  // namespace muster::report
