#include "collectives-bench/results.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace muster::bench {
namespace {

Results sample_results() {
  Results results;
  results.operation = Operation::kBroadcast;
  results.root = 1;
  results.backend = "fabric";
  for (std::uint32_t rank = 0; rank < 2; ++rank) {
    Member member;
    member.place = {rank, 0, rank == 0 ? "a" : "b, \"the other\""};
    member.device = "host memory";
    results.members.push_back(member);
  }
  results.groups = {{"all", {0, 1}}};
  Row row{.bytes = 1024, .count = 256, .out_of_place = {}, .in_place = {}};
  row.out_of_place = {.time_us = 14, .mean_us = 13, .algbw = 0.25, .busbw = 0.5, .wrong = 0};
  row.out_of_place.iterations = IterationStatistics{12, 20, 0.125};
  row.out_of_place.slowest_rank = 1;
  row.in_place = {.time_us = 14, .mean_us = 15, .algbw = 2, .busbw = 3, .wrong = {}};
  results.sizes = {{row}};
  results.variables = {{"NCCL_ALGO", "Ring"}};
  return results;
}

TEST(Results, JsonNamesTheSlowestRankAndOnlyTheVariablesGiven) {
  const auto json = nlohmann::json::parse(print_json(sample_results()));
  EXPECT_EQ(json["operation"], "broadcast");
  EXPECT_EQ(json["root"], 1);
  EXPECT_EQ(json["environment"], (nlohmann::json{{"NCCL_ALGO", "Ring"}}));
  EXPECT_EQ(json["world"].size(), 2u);
  const auto& side = json["groups"][0]["rows"][0]["out_of_place"];
  EXPECT_EQ(side["time_us"], 13);
  EXPECT_EQ(side["p99_us"], 20);
  EXPECT_EQ(side["slowest"]["rank"], 1);
  EXPECT_EQ(side["slowest"]["host"], "b, \"the other\"");
  EXPECT_TRUE(json["groups"][0]["rows"][0]["in_place"]["wrong"].is_null());
  EXPECT_TRUE(json["error"].is_null());
}

TEST(Results, JsonHasNoInPlaceWhereTheOperationHasNone) {
  Results results = sample_results();
  results.sizes[0][0].has_in_place = false;
  results.error = ReportError{ErrorCode::kTimeout, "late", Phase::kMeasure};
  const auto json = nlohmann::json::parse(print_json(results));
  EXPECT_TRUE(json["groups"][0]["rows"][0]["in_place"].is_null());
  EXPECT_EQ(json["error"]["phase"], "measure");
}

TEST(Results, CsvHasALineASideAndQuotesWhatItMust) {
  Results results = sample_results();
  results.sizes[0][0].nic = "eth1";
  EXPECT_EQ(print_csv(results),
            "operation,group,bytes,count,type,redop,root,ranks,placement,time_us,algbw,busbw,"
            "wrong,p50_us,p99_us,cv,slowest_rank,slowest_host,nic\n"
            "broadcast,all,1024,256,float,none,1,2,out_of_place,13,0.25,0.5,0,12,20,0.125,1,"
            "\"b, \"\"the other\"\"\",eth1\n"
            "broadcast,all,1024,256,float,none,1,2,in_place,15,2,3,,,,,,,eth1\n");
}

TEST(Results, JsonNamesTheNicOfARowAndTheTransportWhereTheyWereChosen) {
  Results results = sample_results();
  auto json = nlohmann::json::parse(print_json(results));
  EXPECT_FALSE(json["groups"][0]["rows"][0].contains("nic"));
  EXPECT_TRUE(json["transport"].is_null());
  results.sizes[0][0].nic = "eth1";
  results.transport = "rma";
  json = nlohmann::json::parse(print_json(results));
  EXPECT_EQ(json["groups"][0]["rows"][0]["nic"], "eth1");
  EXPECT_EQ(json["transport"], "rma");
}

TEST(Results, NoVariableThatIsToldMayHoldASecret) {
  for (const std::string name : kToldVariables) {
    for (const char* word : {"KEY", "TOKEN", "SECRET", "PASS"}) {
      EXPECT_EQ(name.find(word), std::string::npos) << name;
    }
  }
}

}  // namespace
}  // namespace muster::bench
