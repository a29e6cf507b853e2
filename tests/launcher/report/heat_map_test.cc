#include "launcher/report/heat_map.h"

#include <gtest/gtest.h>

#include "launcher/report/pair_drawing.h"
#include "tests/launcher/report/documents.h"

namespace muster::report {
namespace {

std::string map_of(const nlohmann::json& document) {
  return print_heat_map(*parse_document(document.dump()));
}

TEST(HeatMap, OneNodeHasNone) {
  EXPECT_EQ(map_of(healthy_document(1)), "");
}

TEST(HeatMap, WithoutPairsItSaysSo) {
  EXPECT_NE(map_of(healthy_document(2)).find("No pair was measured"), std::string::npos);
}

TEST(HeatMap, TwoNodesAreAMap) {
  const std::string map = map_of(all_pairs_document(2));
  EXPECT_NE(map.find("1 pair of 2 nodes"), std::string::npos) << map;
  EXPECT_EQ(count_of(map, "<title>node1 – node2: "), 2u) << map;  // both halves
}

TEST(HeatMap, TheSlowNodeIsMarkedInWordsAndItsPairsAreNamed) {
  const std::string map = map_of(slow_node_document(4));
  EXPECT_EQ(count_of(map, ">✕ node4</text>"), 2u) << map;
  EXPECT_EQ(count_of(map, "class=\"q0\"><title>"), 6u) << map;
  EXPECT_EQ(count_of(map, "<tr><td class=\"host\">node"), 3u) << map;
  EXPECT_NE(map.find("below 50 %"), std::string::npos);
}

TEST(HeatMap, TheSpeedOfASlowLinkFitsIntoItsCell) {
  nlohmann::json document = slow_node_document(4);
  for (nlohmann::json& pair : document["pairs"]) pair["busbw"] = 0.00369412;
  const std::string map = map_of(document);
  EXPECT_EQ(count_of(map, ">0.0037</text>"), 12u) << map;
  EXPECT_NE(map.find("0.00369 GB/s"), std::string::npos) << "the words have all digits";
}

TEST(HeatMap, HungWrongAndUnmeasuredPairsHaveALookAndASignOfTheirOwn) {
  const std::string map = map_of(hung_document());
  for (const char* cell : {"class=\"qh\"><title>node2 – node3: hung in 2 rounds; else 96.0 GB/s<",
                           "class=\"qw\"><title>node1 – node4: wrong data in 1 round<",
                           "class=\"qn\"><title>node2 – node4: not measured in 1 round<"}) {
    EXPECT_EQ(count_of(map, cell), 2u) << cell;
  }
  const std::string legend = between(map, "<ul class=\"legend\">", "</ul>");
  for (const char* word : {">×</text>", ">hung<", "≠", "wrong data", "–</text>", "not measured"}) {
    EXPECT_NE(legend.find(word), std::string::npos) << word;
  }
  EXPECT_EQ(between(map_of(slow_node_document(4)), "<ul class=\"legend\">", "</ul>").find("hung"),
            std::string::npos);
}

TEST(HeatMap, BeyondSixtyFourNodesCellsHaveNoText) {
  EXPECT_EQ(count_of(map_of(all_pairs_document(64)), "<title>"), 64u * 63u);
  const std::string map = map_of(all_pairs_document(65));
  EXPECT_EQ(count_of(map, "<title>"), 0u);
  EXPECT_NE(map.find("<path class=\"q0\" d=\"M"), std::string::npos);
}

TEST(HeatMap, EachCellOfALargeMapIsDrawnOnce) {
  const std::string map = map_of(all_pairs_document(100));
  const std::string strokes = between(map, "<g class=\"strokes\"", "</g>");
  std::size_t cells = 0;
  for (std::size_t at = strokes.find('h', 20); at != std::string::npos;
       at = strokes.find('h', at + 1)) {
    if (strokes[at + 1] >= '0' && strokes[at + 1] <= '9')
      cells += std::stoul(strokes.substr(at + 1));
  }
  EXPECT_EQ(cells, 100u * 99u);
}

// Without JSON in between, since that takes most of the time. No two neighbours have the same
// shade.
TEST(HeatMap, AllPairsOfFiveHundredNodesStayWithinBounds) {
  Document document;
  for (std::size_t a = 0; a < kMaxMapNodes; ++a) {
    document.nodes.push_back({host_of(a), "PASS", "", {}, {}});
    for (std::size_t b = 0; b < a; ++b) {
      const double busbw = (a + b) % 2 == 0 ? 40 : 97;
      document.pairs.push_back({host_of(b), host_of(a), 2, false, PairOutcome::kMeasured, busbw});
    }
  }
  const std::string map = print_heat_map(document);
  EXPECT_LT(map.size(), 4u << 20);
  EXPECT_GT(map.size(), 1u << 20);  // it is not left out
}

TEST(HeatMap, LongNamesAreCutInFrontWhereTheyAreAlike) {
  nlohmann::json document = all_pairs_document(2);
  document["nodes"] = nlohmann::json::array();
  document["pairs"][0]["a"] = "compute-cluster-of-the-north-0017";
  EXPECT_NE(map_of(document).find(">…-the-north-0017<"), std::string::npos) << map_of(document);
}

TEST(HeatMap, ManyBadPairsAreCounted) {
  nlohmann::json document = hung_document();
  for (int i = 0; i < 60; ++i) {
    document["pairs"].push_back({{"a", "x" + std::to_string(i)}, {"b", "y"}, {"outcome", "hung"}});
  }
  const std::string map = map_of(document);
  EXPECT_EQ(count_of(map, "<tr><td class=\"host\">"), kMaxNamedPairs);
  EXPECT_NE(map.find("and 39 more"), std::string::npos);
}

TEST(HeatMap, TooManyNodesForAMapIsSaid) {
  EXPECT_NE(map_of(slow_node_document(513)).find("There is no map of more than 512 nodes"),
            std::string::npos);
}

TEST(HeatMap, RailsAreToldApart) {
  nlohmann::json document = slow_node_document(4);
  document["pairs"].push_back(
      {{"a", "node1"}, {"b", "node2"}, {"kind", "rails"}, {"outcome", "hung"}});
  const std::string map = map_of(document);
  EXPECT_NE(map.find("1 pair measured with one GPU of each node"), std::string::npos);
  EXPECT_NE(map.find("hung, one GPU of each"), std::string::npos);
}

}  // namespace
}  // namespace muster::report
