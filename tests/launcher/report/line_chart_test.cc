#include "launcher/report/line_chart.h"

#include <gtest/gtest.h>

#include "tests/launcher/report/documents.h"

namespace muster::report {
namespace {

std::string charts_of(const nlohmann::json& document) {
  return print_line_charts(*parse_document(document.dump()));
}

nlohmann::json one_rate(const nlohmann::json& more) {
  nlohmann::json rate = {
      {"operation", "all_reduce"}, {"nodes", 4}, {"bytes", 1 << 20}, {"busbw", 0.0211}};
  rate.update(more);
  return {{"busbw", {rate}}};
}

TEST(LineChart, NothingMeasuredIsNoSection) {
  EXPECT_EQ(charts_of(nlohmann::json::object()), "");
}

TEST(LineChart, EachNumberOfNodesHasAChart) {
  const std::string charts = charts_of(slow_node_document(4));
  EXPECT_EQ(count_of(charts, "<figure>"), 3u);
  EXPECT_NE(charts.find("over 4 nodes"), std::string::npos);
  EXPECT_NE(charts.find("between pairs of nodes"), std::string::npos);
  EXPECT_NE(charts.find("inside each node"), std::string::npos);
}

TEST(LineChart, AJobOfTwoNodesIsNoPairOfMany) {
  EXPECT_NE(charts_of(healthy_document(2)).find("over 2 nodes"), std::string::npos);
}

TEST(LineChart, PointsBelowTheMinimumHaveAShapeAndWordsOfTheirOwn) {
  const std::string charts = charts_of(slow_node_document(4));
  EXPECT_EQ(count_of(charts, "<path class=\"below\""), 6u);
  EXPECT_EQ(count_of(charts, "<circle class=\"point\""), 12u);
  EXPECT_NE(charts.find("▼ 6 of 6 sizes below the minimum"), std::string::npos);
  EXPECT_EQ(charts_of(healthy_document(4)).find("▼"), std::string::npos);
}

TEST(LineChart, TheBandIsNamedByItsKind) {
  const auto words = [](const char* kind) {
    return charts_of(
        one_rate({{"expected",
                   {{"busbw", 0.022}, {"minimum", 0.0198}, {"kind", kind}, {"source", "a <b>"}}}}));
  };
  EXPECT_NE(words("recorded")
                .find("expected, recorded baseline: 0.0198 to 0.022 GB/s at 1 MiB (a &lt;b&gt;)"),
            std::string::npos)
      << words("recorded");
  EXPECT_NE(words("published").find("published figure"), std::string::npos);
  EXPECT_NE(words("minimum").find("the user’s minimum"), std::string::npos);
  EXPECT_EQ(count_of(words("recorded"), "class=\"band\" d="), 1u);
}

TEST(LineChart, AMinimumAloneIsALine) {
  const std::string chart =
      charts_of(one_rate({{"expected", {{"minimum", 0.01}, {"kind", "minimum"}}}}));
  EXPECT_NE(chart.find("the user’s minimum: 0.01 GB/s at 1 MiB"), std::string::npos) << chart;
  EXPECT_EQ(count_of(chart, "class=\"floor\" d=\"M"), 2u) << chart;  // and in the legend
}

TEST(LineChart, WithoutExpectationThereIsNoBand) {
  const std::string chart = charts_of(one_rate(nlohmann::json::object()));
  EXPECT_EQ(chart.find("class=\"band\""), std::string::npos);
  EXPECT_NE(chart.find("Nothing is expected of it"), std::string::npos);
}

TEST(LineChart, SizesWithAnExpectationBetweenOthersHaveABandOfTheirOwn) {
  nlohmann::json document = {{"busbw", nlohmann::json::array()}};
  for (int i = 0; i < 7; ++i) {
    nlohmann::json rate = {{"nodes", 4}, {"bytes", 1024 << i}, {"busbw", 1}};
    if (i % 3 != 0) rate["expected"] = {{"busbw", 1.1}, {"minimum", 0.9}};
    document["busbw"].push_back(rate);
  }
  EXPECT_EQ(count_of(charts_of(document), "class=\"band\" d="), 2u);
}

TEST(LineChart, TheScaleIsThatOfPowersOfTwo) {
  nlohmann::json document = {{"busbw", nlohmann::json::array()}};
  for (const int bytes : {1 << 10, 1 << 20, 1 << 30}) {
    document["busbw"].push_back({{"nodes", 4}, {"bytes", bytes}, {"busbw", 1}});
  }
  const std::string chart = charts_of(document);
  EXPECT_NE(chart.find("cx=\"64.0\""), std::string::npos) << chart;
  EXPECT_NE(chart.find("cx=\"208.0\""), std::string::npos) << chart;  // the middle
  EXPECT_NE(chart.find("cx=\"352.0\""), std::string::npos) << chart;
}

TEST(LineChart, NumbersThatHaveNoScaleDrawAll) {
  for (const double busbw : {0.0, 1e-300, 1e300, 5e-324}) {
    const std::string chart = charts_of(one_rate({{"busbw", busbw}}));
    EXPECT_NE(chart.find("</figure>"), std::string::npos) << busbw;
    EXPECT_EQ(chart.find("nan"), std::string::npos) << chart;
    EXPECT_EQ(chart.find("inf"), std::string::npos) << chart;
    EXPECT_LT(chart.size(), 6000u) << busbw;
  }
  EXPECT_EQ(charts_of(one_rate({{"bytes", 0}})), "");
}

TEST(LineChart, ChartsAndPointsHaveABound) {
  nlohmann::json document = {{"busbw", nlohmann::json::array()}};
  for (int nodes = 1; nodes <= 40; ++nodes) {
    for (int i = 1; i <= 400; ++i) {
      document["busbw"].push_back({{"nodes", nodes}, {"bytes", 1024 * i}, {"busbw", i}});
    }
  }
  const std::string charts = charts_of(document);
  EXPECT_EQ(count_of(charts, "<figure>"), kMaxCharts);
  EXPECT_NE(charts.find("and 28 more"), std::string::npos);
  EXPECT_EQ(count_of(charts, "<circle"), kMaxCharts * kMaxPointsOfAChart);
}

}  // namespace
}  // namespace muster::report
