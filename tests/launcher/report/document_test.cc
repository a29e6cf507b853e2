#include "launcher/report/document.h"

#include <gtest/gtest.h>

#include <random>

#include "launcher/report/html_report.h"
#include "tests/launcher/report/documents.h"

namespace muster::report {
namespace {

using nlohmann::json;

std::string error_of(const std::string& text) {
  const Result<Document> document = parse_document(text);
  return document ? "" : document.error().message();
}

TEST(ReportDocument, AnEmptyOneIsEmpty) {
  const Result<Document> document = parse_document("{}");
  ASSERT_TRUE(document);
  EXPECT_EQ(document->verdict, "");
  EXPECT_TRUE(document->nodes.empty());
  EXPECT_FALSE(document->exit_code);
}

TEST(ReportDocument, NullIsAbsent) {
  EXPECT_TRUE(parse_document(R"({"nodes":null,"verdict":null,"busbw":null,"measurement":null})"));
}

TEST(ReportDocument, WhatIsNoJsonIsAnError) {
  EXPECT_NE(error_of("").find("no JSON"), std::string::npos);
  EXPECT_NE(error_of("{\"verdict\":\"fi").find("no JSON"), std::string::npos);
  EXPECT_NE(error_of("{\"verdict\":\"\xff\"}").find("no JSON"), std::string::npos);
}

TEST(ReportDocument, AMemberOfAnotherTypeIsNamed) {
  EXPECT_EQ(error_of("[]"),
            "the check's document: the document: array is given, expected an object");
  EXPECT_EQ(error_of(R"({"verdict":7})"),
            "the check's document: verdict: 7 is given, expected a text");
  EXPECT_EQ(
      error_of(R"({"pairs":[{"a":"x"},{"busbw":"fast"}]})"),
      "the check's document: pairs[1].busbw: string is given, expected a number of at least 0");
  EXPECT_EQ(error_of(R"({"nodes":{}})"),
            "the check's document: nodes: object is given, expected a list");
  EXPECT_EQ(
      error_of(R"({"busbw":[{"bytes":-1}]})"),
      "the check's document: busbw[0].bytes: -1 is given, expected a whole number of at least 0");
  EXPECT_EQ(error_of(R"({"commands":[{}]})"),
            "the check's document: commands[0]: object is given, expected a text");
  EXPECT_EQ(error_of(R"({"nodes":[{"facts":[]}]})"),
            "the check's document: nodes[0].facts: array is given, expected an object");
}

TEST(ReportDocument, ReadsAllThatThePageShows) {
  const Result<Document> document = parse_document(slow_node_document(4).dump());
  ASSERT_TRUE(document) << document.error().message();
  EXPECT_EQ(document->verdict, "unfit");
  EXPECT_EQ(document->exit_code, 83);
  EXPECT_EQ(document->nodes.size(), 4u);
  EXPECT_EQ(document->nodes[3].probes[2].answer, "FAIL");
  EXPECT_EQ(document->measurement.ranks, 32u);
  ASSERT_EQ(document->rates.size(), 18u);
  EXPECT_EQ(document->rates[0].expected->kind, "recorded");
  EXPECT_EQ(document->pairs.size(), 6u);
  EXPECT_EQ(document->rounds.size(), 4u);
  ASSERT_EQ(document->unfit.size(), 1u);
  EXPECT_EQ(document->unfit[0].hosts, Texts{"node4"});
  EXPECT_EQ(document->unfit[0].gpus, Texts{"3"});
  EXPECT_EQ(document->disagreements[0].groups[1].hosts, Texts{"node4"});
}

TEST(ReportDocument, WithoutBusbwTheMeasuredRowsAreTheRates) {
  const json row = {
      {"bytes", 1024}, {"out_of_place", {{"busbw", 1.5}}}, {"in_place", {{"busbw", 9}}}};
  const json document = {{"measurement", {{"rows", {row}}}}};
  const Result<Document> read = parse_document(document.dump());
  ASSERT_TRUE(read) << read.error().message();
  ASSERT_EQ(read->rates.size(), 1u);
  EXPECT_EQ(read->rates[0].bytes, 1024u);
  EXPECT_EQ(read->rates[0].busbw, 1.5);
}

TEST(ReportDocument, AnUnknownOutcomeIsNoMeasurement) {
  const json document = {{"pairs", {{{"a", "x"}, {"b", "y"}, {"outcome", "odd"}, {"busbw", 1}}}}};
  EXPECT_EQ(parse_document(document.dump())->pairs[0].outcome, PairOutcome::kNotMeasured);
}

TEST(ReportDocument, SurvivesMutations) {
  const std::string good = slow_node_document(4).dump();
  std::mt19937 random(4711);
  for (int i = 0; i < 500; ++i) {
    std::string bad = good;
    for (int change = 0; change < 3; ++change)
      bad[random() % bad.size()] = static_cast<char>(random());
    const Result<std::string> page = print_html_report(bad);
    if (page) {
      EXPECT_TRUE(page->ends_with("</html>\n"));
    } else {
      EXPECT_FALSE(page.error().message().empty());
    }
  }
}

}  // namespace
}  // namespace muster::report
