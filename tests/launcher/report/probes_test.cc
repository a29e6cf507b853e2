#include "launcher/report/probes.h"

#include <gtest/gtest.h>

#include "launcher/report/facts.h"
#include "tests/launcher/report/documents.h"

namespace muster::report {
namespace {

Document read(const nlohmann::json& document) {
  return *parse_document(document.dump());
}

TEST(ReportProbes, FindingsComeWorstFirstWithTheirReasons) {
  const std::string text = print_probes(read(slow_node_document(4)));
  const std::size_t fail = text.find("XID 79 on GPU 3: the GPU has fallen off the bus");
  const std::size_t warn = text.find("the disk of /tmp is nearly full");
  ASSERT_NE(fail, std::string::npos);
  ASSERT_NE(warn, std::string::npos);
  EXPECT_LT(fail, warn);
}

TEST(ReportProbes, RowsAndColumnsComeWorstFirst) {
  const std::string matrix =
      between(print_probes(read(slow_node_document(4))), "<table class=\"matrix\">", "</table>");
  EXPECT_LT(matrix.find(">node4<"), matrix.find(">node1<"));
  EXPECT_LT(matrix.find(">node1<"), matrix.find(">node2<"));
  EXPECT_LT(matrix.find(">xid<"), matrix.find(">disk<"));
  EXPECT_LT(matrix.find(">disk<"), matrix.find(">gpu_count<"));
  EXPECT_EQ(count_of(matrix, "<td class=\"fail\">✕</td>"), 1u);
  EXPECT_EQ(count_of(matrix, "<td class=\"warn\">!</td>"), 1u);
  EXPECT_EQ(count_of(matrix, "<td class=\"pass\">✓</td>"), 22u);
}

TEST(ReportProbes, WhatNoNodeAnsweredIsNamedOnce) {
  const std::string text = print_probes(read(healthy_document(4)));
  EXPECT_NE(text.find("not in the table: clock_offset"), std::string::npos);
}

TEST(ReportProbes, PassesAreFoldedByValue) {
  const std::string folded =
      between(print_probes(read(healthy_document(4))), "<details>", "</details>");
  EXPECT_NE(folded.find("53.7 GiB free"), std::string::npos) << folded;
  EXPECT_NE(folded.find("all 4 nodes"), std::string::npos) << folded;
  EXPECT_NE(folded.find("the clock offset was not asked"), std::string::npos) << folded;
}

TEST(ReportProbes, TheSameFindingOfSeveralNodesIsToldOnce) {
  nlohmann::json document = slow_node_document(4);
  document["nodes"][1] = document["nodes"][0];
  document["nodes"][1]["host"] = "node2";
  const std::string text = print_probes(read(document));
  EXPECT_EQ(count_of(text, "the disk of /tmp is nearly full"), 1u);
  EXPECT_NE(text.find("node[1-2]"), std::string::npos);
}

TEST(ReportProbes, OfManyNodesTheRestIsFoldedButThere) {
  const std::string text = print_probes(read(slow_node_document(128)));
  EXPECT_NE(text.find("<summary>104 nodes more</summary>"), std::string::npos);
  for (int node = 1; node <= 128; ++node) {
    EXPECT_EQ(count_of(text, ">node" + std::to_string(node) + "</th>"), 1u) << node;
  }
}

TEST(ReportProbes, ManyDifferentValuesAreBounded) {
  Spread spread;
  for (std::size_t i = 0; i < kMaxValues + 5; ++i) {
    spread.add("disk", "PASS", std::to_string(i) + " GiB", host_of(i));
  }
  const std::string text = spread.print(kMaxValues + 5);
  EXPECT_EQ(count_of(text, "GiB"), kMaxValues);
  EXPECT_NE(text.find("other values"), std::string::npos);
  EXPECT_NE(text.find("node[9-13]"), std::string::npos) << text;
}

TEST(ReportProbes, ManyFindingsAreBounded) {
  nlohmann::json document = slow_node_document(4);
  for (std::size_t i = 0; i < kMaxFindings; ++i) {
    document["nodes"][0]["probes"].push_back(
        {{"probe", "p" + std::to_string(i)}, {"answer", "WARN"}});
  }
  EXPECT_NE(print_probes(read(document)).find("and 2 more in the document"), std::string::npos);
}

TEST(ReportFacts, DisagreementsNameTheOddNode) {
  const std::string text = print_disagreements(read(slow_node_document(4)));
  EXPECT_NE(text.find("535.183.01"), std::string::npos);
  EXPECT_NE(text.find("node[1-3]"), std::string::npos);
  EXPECT_NE(text.find("The first value is that of most nodes"), std::string::npos);
  EXPECT_NE(print_disagreements(read(healthy_document(2))).find("The nodes agree"),
            std::string::npos);
  EXPECT_EQ(print_disagreements(read(healthy_document(1))), "");
}

}  // namespace
}  // namespace muster::report
