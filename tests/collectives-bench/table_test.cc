#include "collectives-bench/table.h"

#include <gtest/gtest.h>

#include <sstream>

namespace muster::bench {
namespace {

Row sample_row() {
  Row row{.bytes = 67108864, .count = 16777216, .out_of_place = {}, .in_place = {}};
  row.out_of_place = {
      .time_us = 50, .mean_us = 48.123, .algbw = 1394.5, .busbw = 2440.4, .wrong = 0};
  row.in_place = {.time_us = 50, .mean_us = 12345.6, .algbw = 5.44, .busbw = 9.51, .wrong = 3};
  return row;
}

TEST(Table, ARowHasTheColumnsThatScriptsCount) {
  std::istringstream words(table_row(sample_row()));
  std::vector<std::string> columns;
  for (std::string word; words >> word;) columns.push_back(word);
  EXPECT_EQ(columns,
            (std::vector<std::string>{"67108864", "16777216", "float", "sum", "-1", "48.12",
                                      "1394.50", "2440.40", "0", "12345.6", "5.44", "9.51", "3"}));
}

TEST(Table, ASlowLinkStillShowsDigits) {
  Row row = sample_row();
  row.out_of_place.busbw = 0.02308;
  EXPECT_NE(table_row(row).find(" 0.0231 "), std::string::npos) << table_row(row);
}

TEST(Table, SaysSoWhenNothingWasVerified) {
  Row row = sample_row();
  row.out_of_place.wrong.reset();
  EXPECT_NE(table_row(row).find("N/A"), std::string::npos);
  row.in_place.wrong = 0;
  EXPECT_NE(table_footer(std::vector{row}).find("0 NOT VERIFIED"), std::string::npos);
}

TEST(Table, TheFooterCountsWrongElementsAndAveragesBothSides) {
  const std::string text = table_footer(std::vector{sample_row()});
  EXPECT_NE(text.find("# Out of bounds values : 3 FAILED\n"), std::string::npos) << text;
  EXPECT_NE(text.find("# Avg bus bandwidth    : 1224.96\n"), std::string::npos) << text;
}

TEST(Table, ShowsRootStatisticsAndTheSlowestRankBehindTheRest) {
  Row row = sample_row();
  row.has_in_place = false;
  row.out_of_place.iterations = IterationStatistics{47, 60.5, 0.034};
  row.out_of_place.slowest_rank = 3;
  const TableStyle style{.operation = Operation::kBroadcast, .root = 2, .statistics = true};
  std::istringstream words(table_row(row, style));
  std::vector<std::string> columns;
  for (std::string word; words >> word;) columns.push_back(word);
  EXPECT_EQ(columns, (std::vector<std::string>{"67108864", "16777216", "float", "none", "2",
                                               "48.12", "1394.50", "2440.40", "0", "N/A", "N/A",
                                               "N/A", "N/A", "47.00", "60.50", "3.4", "3"}));
  EXPECT_NE(table_header(style).find("slowest"), std::string::npos);
}

TEST(Table, OfASplitNamesTheSlowestGroup) {
  std::vector<Row> rows(3, sample_row());
  rows[0].out_of_place.busbw = 40;
  rows[1].out_of_place.busbw = 20;
  rows[2].out_of_place.busbw = 0;
  const std::vector<Group> groups = {{"rail 0", {0, 1}}, {"rail 1", {2, 3}}, {"odd", {4}}};
  std::istringstream words(split_table_row(groups, rows, {}));
  std::vector<std::string> columns;
  for (std::string word; words >> word;) columns.push_back(word);
  EXPECT_EQ(columns, (std::vector<std::string>{"67108864", "16777216", "float", "sum", "-1",
                                               "20.00", "30.00", "40.00", "9", "rail", "1"}));
}

TEST(Table, TheFooterAveragesOnlyWhatRan) {
  Row row = sample_row();
  row.has_in_place = false;
  row.in_place = {};
  const std::string text = table_footer(std::vector{row});
  EXPECT_NE(text.find("0 OK"), std::string::npos) << text;
  EXPECT_NE(text.find(": 2440.4\n"), std::string::npos) << text;
}

TEST(Table, TheNicStandsBehindAllOtherColumns) {
  Row row = sample_row();
  row.nic = "eth1";
  const TableStyle style{.nics = true};
  EXPECT_TRUE(table_row(row, style).ends_with("   3   eth1\n")) << table_row(row, style);
  EXPECT_EQ(table_row(row, style).find(table_row(sample_row()).substr(0, 100)), 0u)
      << "the columns before it are those without";
  EXPECT_NE(table_header(style).find("#wrong   nic\n"), std::string::npos) << table_header(style);
  const std::string split =
      split_table_row(std::vector<Group>{{"all", {0, 1}}}, std::vector{row}, style);
  EXPECT_TRUE(split.ends_with("   eth1           all\n")) << split;
  EXPECT_NE(split_table_header(style).find("nic            slowest group"), std::string::npos);
}

TEST(Table, ARowUnderWayHasItsFirstSide) {
  std::istringstream words(table_half_row(sample_row()));
  std::vector<std::string> columns;
  for (std::string word; words >> word;) columns.push_back(word);
  EXPECT_EQ(columns,
            (std::vector<std::string>{"67108864", "16777216", "float", "sum", "-1", "48.12",
                                      "1394.50", "2440.40", "0", "...", "...", "...", "..."}));
}

TEST(Table, EveryHeaderLineIsAComment) {
  std::istringstream lines(table_header());
  int count = 0;
  for (std::string line; std::getline(lines, line); ++count) EXPECT_EQ(line.front(), '#');
  EXPECT_EQ(count, 3);
}

}  // namespace
}  // namespace muster::bench
