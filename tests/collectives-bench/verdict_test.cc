#include "collectives-bench/verdict.h"

#include <gtest/gtest.h>

namespace muster::bench {
namespace {

// A gang whose ranks each took `time_us` for 16 MiB and found nothing wrong.
std::vector<RankOutcome> sound_gang(std::size_t size, double time_us) {
  std::vector<RankOutcome> outcomes;
  for (std::uint32_t rank = 0; rank < size; ++rank) {
    RankReport report;
    report.rank = rank;
    report.size = static_cast<std::uint32_t>(size);
    report.host = "node" + std::to_string(rank);
    report.backend = "fabric";
    for (const std::uint64_t bytes : {1ull << 20, 16ull << 20}) {
      Row row{.bytes = bytes, .count = bytes / 4, .out_of_place = {}, .in_place = {}};
      row.out_of_place.time_us = time_us;
      row.out_of_place.wrong = 0;
      row.in_place = row.out_of_place;
      report.rows.push_back(row);
    }
    RankOutcome outcome;
    outcome.host = report.host;
    outcome.report = report;
    outcomes.push_back(outcome);
  }
  return outcomes;
}

void fail_rank(RankOutcome& outcome, ErrorCode code, std::string text, Phase phase) {
  outcome.report->rows.clear();
  outcome.report->error = ReportError{code, std::move(text), phase};
}

void lose_rank(RankOutcome& outcome, MissingReason reason, std::string detail = "") {
  outcome.report.reset();
  outcome.missing = reason;
  outcome.detail = std::move(detail);
}

constexpr double kMillion = 1e6;  // 16 MiB in 1 s: algbw 0.0168, busbw of 4 ranks 0.0252

TEST(Verdict, AFitGangGoesWithItsNumbers) {
  const Verdict verdict = judge(sound_gang(4, kMillion), {.min_busbw = 0.010});
  EXPECT_EQ(verdict.decision, Decision::kGo);
  EXPECT_EQ(verdict.line, "fabric all_reduce 4 ranks 16 MiB busbw 0.025 GB/s (minimum 0.010): fit");
  EXPECT_EQ(verdict.bytes, 16u << 20);
  EXPECT_NEAR(verdict.busbw, 0.0252, 1e-4);
}

TEST(Verdict, BelowTheMinimumStops) {
  const Verdict verdict = judge(sound_gang(4, kMillion), {.min_busbw = 0.030});
  EXPECT_EQ(verdict.decision, Decision::kStop);
  EXPECT_EQ(verdict.line,
            "fabric all_reduce 4 ranks 16 MiB busbw 0.025 GB/s (minimum 0.030): below the "
            "minimum");
}

TEST(Verdict, WithoutAMinimumAnyRightResultGoes) {
  const Verdict verdict = judge(sound_gang(2, 1e9), {});
  EXPECT_EQ(verdict.decision, Decision::kGo);
  EXPECT_NE(verdict.line.find("(no minimum): fit"), std::string::npos) << verdict.line;
}

TEST(Verdict, TheTimeIsTheMeanOfAllRanks) {
  auto outcomes = sound_gang(2, kMillion);
  outcomes[1].report->rows.back().out_of_place.time_us = 3 * kMillion;
  EXPECT_NEAR(judge(outcomes, {}).busbw, 16.777216e6 / 2e6 / 1e3, 1e-6);
}

TEST(Verdict, WrongDataNamesItsRanksAndWeighsMost) {
  auto outcomes = sound_gang(4, kMillion);
  outcomes[2].report->rows[0].in_place.wrong = 7;
  lose_rank(outcomes[3], MissingReason::kKilledAtDeadline);
  const Verdict verdict = judge(outcomes, {.min_busbw = 1.0});
  EXPECT_EQ(verdict.decision, Decision::kStop);
  EXPECT_EQ(verdict.culprits, std::vector<std::uint32_t>{2});
  EXPECT_EQ(verdict.line,
            "fabric all_reduce 4 ranks gave wrong data: 7 wrong elements on rank 2 (node2)");
}

TEST(Verdict, AHangNamesTheSilentAndWhatAPeerWaitedFor) {
  auto outcomes = sound_gang(3, kMillion);
  lose_rank(outcomes[1], MissingReason::kKilledAtDeadline);
  fail_rank(outcomes[2], ErrorCode::kTimeout, "nothing from rank 1 (node1)", Phase::kMeasure);
  const Verdict verdict = judge(outcomes, {});
  EXPECT_EQ(verdict.decision, Decision::kStop);
  EXPECT_EQ(verdict.culprits, std::vector<std::uint32_t>{1});
  EXPECT_EQ(verdict.line,
            "fabric all_reduce 3 ranks hung: no report from rank 1 (node1); rank 2 (node2) "
            "in phase measure: nothing from rank 1 (node1)");
}

TEST(Verdict, AHangWhereAllReportedAccusesThoseThatWaited) {
  auto outcomes = sound_gang(2, kMillion);
  for (auto& outcome : outcomes) fail_rank(outcome, ErrorCode::kTimeout, "late", Phase::kInit);
  const Verdict verdict = judge(outcomes, {});
  EXPECT_EQ(verdict.decision, Decision::kStop);
  EXPECT_EQ(verdict.culprits, (std::vector<std::uint32_t>{0, 1}));
}

TEST(Verdict, WhatCouldNotRunIsNeitherSlowNorFine) {
  auto outcomes = sound_gang(2, kMillion);
  fail_rank(outcomes[0], ErrorCode::kUnavailable, "rank 1 (node1): no libfabric", Phase::kLoad);
  fail_rank(outcomes[1], ErrorCode::kNotFound, "no libfabric", Phase::kLoad);
  const Verdict verdict = judge(outcomes, {.min_busbw = 1.0});
  EXPECT_EQ(verdict.decision, Decision::kNotMeasured);
  EXPECT_EQ(verdict.line,
            "fabric all_reduce 2 ranks could not measure: rank 1 (node1) in phase load: no "
            "libfabric (and 1 more ranks failed)");
}

TEST(Verdict, ADeadRankIsNamedBeforeThePeersThatLostIt) {
  auto outcomes = sound_gang(3, kMillion);
  fail_rank(outcomes[0], ErrorCode::kUnavailable, "receive from rank 2", Phase::kMeasure);
  lose_rank(outcomes[2], MissingReason::kExited, "SIGSEGV");
  const Verdict verdict = judge(outcomes, {});
  EXPECT_EQ(verdict.decision, Decision::kNotMeasured);
  EXPECT_NE(verdict.line.find("rank 2 (node2) ended without a report (SIGSEGV)"), std::string::npos)
      << verdict.line;
}

TEST(Verdict, PeersStoppedForADeadRanksSakeAreNoHang) {
  auto outcomes = sound_gang(4, kMillion);
  for (RankOutcome& outcome : outcomes) lose_rank(outcome, MissingReason::kKilledAtDeadline);
  lose_rank(outcomes[2], MissingReason::kExited, "SIGKILL");
  const Verdict verdict = judge(outcomes, {});
  EXPECT_EQ(verdict.decision, Decision::kNotMeasured);
  EXPECT_NE(verdict.line.find("rank 2 (node2) ended without a report (SIGKILL)"), std::string::npos)
      << verdict.line;
}

TEST(Verdict, EveryMissingReasonIsNoMeasurementOrAHang) {
  for (const auto reason :
       {MissingReason::kExited, MissingReason::kNotStarted, MissingReason::kBadReport}) {
    auto outcomes = sound_gang(2, kMillion);
    lose_rank(outcomes[0], reason);
    EXPECT_EQ(judge(outcomes, {}).decision, Decision::kNotMeasured);
  }
  EXPECT_EQ(judge({}, {}).decision, Decision::kNotMeasured);
}

TEST(Verdict, WorldsOfOneThatPassForAGangAreNoMeasurement) {
  auto outcomes = sound_gang(2, kMillion);
  for (auto& outcome : outcomes) {
    outcome.report->rank = 0;
    outcome.report->size = 1;
  }
  const Verdict verdict = judge(outcomes, {});
  EXPECT_EQ(verdict.decision, Decision::kNotMeasured);
  EXPECT_NE(verdict.line.find("reports itself as rank 0 of 1"), std::string::npos) << verdict.line;
}

TEST(Verdict, ContradictingReportsAreNoMeasurement) {
  auto other_backend = sound_gang(2, kMillion);
  other_backend[1].report->backend = "nccl";
  EXPECT_EQ(judge(other_backend, {}).decision, Decision::kNotMeasured);
  auto other_sizes = sound_gang(2, kMillion);
  other_sizes[1].report->rows.pop_back();
  EXPECT_EQ(judge(other_sizes, {}).decision, Decision::kNotMeasured);
  auto no_time = sound_gang(2, kMillion);
  no_time[0].report->rows.back().out_of_place.time_us = 0;
  EXPECT_EQ(judge(no_time, {}).decision, Decision::kNotMeasured);
  auto no_rows = sound_gang(2, kMillion);
  for (auto& outcome : no_rows) outcome.report->rows.clear();
  EXPECT_EQ(judge(no_rows, {}).decision, Decision::kNotMeasured);
}

TEST(Verdict, OneRankHasNoBusToHoldAgainstAMinimum) {
  const Verdict without = judge(sound_gang(1, kMillion), {});
  EXPECT_EQ(without.decision, Decision::kGo);
  EXPECT_EQ(without.line, "fabric all_reduce 1 rank 16 MiB algbw 0.017 GB/s: fit");
  EXPECT_EQ(judge(sound_gang(1, kMillion), {.min_busbw = 0.001}).decision, Decision::kNotMeasured);
}

TEST(Verdict, SaysThatDataWereNotVerified) {
  auto outcomes = sound_gang(2, kMillion);
  outcomes[0].report->rows.back().out_of_place.wrong.reset();
  EXPECT_NE(judge(outcomes, {}).line.find("data not verified"), std::string::npos);
}

TEST(Verdict, NamesAFewRanksAndCountsTheRest) {
  auto outcomes = sound_gang(100, kMillion);
  for (auto& outcome : outcomes) outcome.report->rows[0].in_place.wrong = 1;
  const Verdict verdict = judge(outcomes, {});
  EXPECT_NE(verdict.line.find("and 92 more"), std::string::npos) << verdict.line;
  EXPECT_EQ(verdict.culprits.size(), 100u);
}

}  // namespace
}  // namespace muster::bench
