#include "launcher/report/summary.h"

#include <gtest/gtest.h>

#include "tests/launcher/report/documents.h"

namespace muster::report {
namespace {

Document read(const nlohmann::json& document) {
  return *parse_document(document.dump());
}

TEST(ReportSummary, NothingIsFitByDefault) {
  EXPECT_EQ(verdict_word(read({{"verdict", "fit"}})), "Fit");
  EXPECT_EQ(verdict_word(read({{"verdict", "unfit"}})), "Unfit");
  for (const char* other : {"not measured", "lost", "internal", "", "success"}) {
    EXPECT_EQ(verdict_word(read({{"verdict", other}})), "Could not measure") << other;
  }
  EXPECT_EQ(verdict_word(read(nlohmann::json::object())), "Could not measure");
}

TEST(ReportSummary, AnEarlyEndIsNamed) {
  const std::string text = print_verdict(read({{"verdict", "lost"}, {"exit_code", 85}}));
  EXPECT_NE(text.find("The check ended early: lost (exit code 85)."), std::string::npos) << text;
}

TEST(ReportSummary, TheVerdictHasASignAndNamesTheNode) {
  const std::string text = print_verdict(read(slow_node_document(4)));
  EXPECT_NE(text.find("<header class=\"unfit\">"), std::string::npos);
  EXPECT_NE(text.find("✕</span>Unfit</h1>"), std::string::npos) << text;
  EXPECT_NE(text.find("1 of 4 nodes is at fault: node4."), std::string::npos) << text;
  EXPECT_NE(text.find("1 FAIL, 1 WARN"), std::string::npos) << text;
  EXPECT_NE(text.find("busbw at 1 GiB, 41\u00a0% of what is expected"), std::string::npos) << text;
}

TEST(ReportSummary, AFitMachineWithACulpritIsNotPlainlyFit) {
  nlohmann::json document = slow_node_document(4);
  document["verdict"] = "fit";
  const std::string text = print_verdict(read(document));
  EXPECT_NE(text.find("<header class=\"unknown\">"), std::string::npos) << text;
  EXPECT_NE(text.find("!</span>Fit, with a warning</h1>"), std::string::npos) << text;
  EXPECT_NE(text.find("1 of 4 nodes is at fault: node4."), std::string::npos) << text;
}

TEST(ReportSummary, FitWithWarningsSaysHowMany) {
  nlohmann::json document = healthy_document(4);
  EXPECT_EQ(print_verdict(read(document)).find("warning"), std::string::npos);
  document["nodes"][1]["probes"][0]["answer"] = "WARN";
  EXPECT_NE(print_verdict(read(document)).find("1 warning; a warning stops no job."),
            std::string::npos);
}

TEST(ReportSummary, AFailedProbeIsTheReasonWhereNobodyIsAccused) {
  nlohmann::json document = slow_node_document(4);
  document.erase("unfit");
  EXPECT_NE(print_verdict(read(document)).find("A probe failed on node4."), std::string::npos);
}

TEST(ReportSummary, TheAccusedStandWithTheirEvidence) {
  const std::string text = print_accused(read(slow_node_document(4)));
  EXPECT_NE(text.find("<b class=\"host\">node4</b> <span class=\"tag fail\">slow</span>"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("41\u00a0% of what good ones reach · 99.9\u00a0% sure · GPU 3"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("40.1 GB/s with 3 good partners"), std::string::npos) << text;
  const std::string unsure = print_accused(read(hung_document()));
  EXPECT_NE(unsure.find("node2</b> or <b class=\"host\">node3"), std::string::npos) << unsure;
  EXPECT_NE(unsure.find("neither slow nor fine"), std::string::npos) << unsure;
  EXPECT_EQ(print_accused(read(healthy_document(4))), "");
}

TEST(ReportSummary, LinksAreNamedByTheirEnds) {
  const std::string text = print_accused(
      read({{"links", {{{"a", "node1"}, {"b", "node2"}, {"fault", "slow"}, {"ratio", 0.4}}}}}));
  EXPECT_NE(text.find("node1</b> – <b class=\"host\">node2"), std::string::npos) << text;
}

TEST(ReportSummary, CommandsCanBeCopiedAsTheyAre) {
  const std::string text = print_commands(read({{"commands", {"a --reason=\"x<y\"", "b"}}}));
  EXPECT_NE(text.find(">a --reason=&quot;x&lt;y&quot;\nb\n</pre>"), std::string::npos) << text;
  EXPECT_EQ(print_commands(read(healthy_document(4))), "");
}

TEST(ReportSummary, RoundsAndChoicesAreTables) {
  nlohmann::json document = slow_node_document(4);
  document["chosen"] = {"node1", "node2"};
  document["spares"] = {"node3"};
  const std::string rounds = print_rounds(read(document));
  EXPECT_NE(rounds.find("<td>confirm</td>"), std::string::npos) << rounds;
  EXPECT_NE(rounds.find("4.2 s"), std::string::npos) << rounds;
  const std::string choice = print_choice(read(document));
  for (const char* word : {"node[1-2]", "spares", "left out"}) {
    EXPECT_NE(choice.find(word), std::string::npos) << word;
  }
}

}  // namespace
}  // namespace muster::report
