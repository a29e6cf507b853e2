#include <gtest/gtest.h>

#include "collectives-bench/report.h"
#include "launcher/options/exit_codes.h"
#include "tests/launcher/coordinator/job_fixture.h"

namespace muster::launcher {
namespace {

using process::ExitStatus;

Job fabric_job(std::uint32_t nodes, double minimum = 0) {
  CoordinatorOptions options;
  if (minimum > 0) options.check_min_busbw = minimum;
  Job job(nodes, options);
  for (AgentFacts& facts : job.facts) facts.has_fabric_backend = true;
  return job;
}

std::string report_of(std::uint32_t rank, std::uint32_t size, double busbw) {
  bench::RankReport report;
  report.rank = rank;
  report.size = size;
  report.host = "node" + std::to_string(rank + 1);
  report.backend = "fabric";
  bench::Row row;
  row.bytes = 1 << 20;
  row.count = row.bytes / 4;
  const double moved = static_cast<double>(row.bytes) * 2.0 * (size - 1) / size;
  const double time_us = moved / (busbw * 1e3);
  row.out_of_place.time_us = row.out_of_place.mean_us = time_us;
  row.out_of_place.busbw = busbw;
  row.out_of_place.wrong = 0;
  row.in_place = row.out_of_place;
  report.rows = {row};
  return bench::print_report(report);
}

void open_group(Job& job) {
  job.feed(CheckGroupOpened{job.gang(), 12345, "key"});
}

void report_all(Job& job, double busbw) {
  const GangId gang = job.gang();
  const auto size = static_cast<std::uint32_t>(job.facts.size());
  for (std::uint32_t node = 0; node < size; ++node) {
    job.say(node, GangFinished{gang, {report_of(node, size, busbw)}, 0});
  }
}

TEST(CoordinatorCheck, AutoChoosesTheFabricWithoutGpusAndSaysSo) {
  Job job = fabric_job(4);
  job.assemble();
  EXPECT_EQ(job.coordinator.phase(), Phase::kChecking);
  EXPECT_NE(job.said().find("check: fabric"), std::string::npos);
  open_group(job);
  EXPECT_EQ(job.count_sent<StartCheck>(), 4u);
}

TEST(CoordinatorCheck, AutoChoosesNcclWhereEveryAgentHasIt) {
  Job job = fabric_job(2);
  for (AgentFacts& facts : job.facts) facts.has_nccl_backend = true;
  job.assemble();
  EXPECT_NE(job.said().find("check: nccl"), std::string::npos);
  const auto* group = std::get_if<OpenCheckGroup>(&job.effects.back());
  ASSERT_NE(group, nullptr);
  EXPECT_EQ(group->expected.size(), 16u);
  EXPECT_EQ(group->expected[9].node, NodeIndex{1});
  EXPECT_EQ(group->expected[9].task, LocalTask{1});
}

TEST(CoordinatorCheck, AutoSkipsOneNodeWithoutGpus) {
  Job job = fabric_job(1);
  job.assemble();
  EXPECT_EQ(job.coordinator.phase(), Phase::kRunning);
  EXPECT_NE(job.said().find("skipped"), std::string::npos);
}

TEST(CoordinatorCheck, AFitMachineGoesOnToTheWorkers) {
  Job job = fabric_job(4, 1.0);
  job.assemble();
  open_group(job);
  report_all(job, 2.0);
  EXPECT_EQ(job.coordinator.phase(), Phase::kRunning);
  EXPECT_EQ(job.count_sent<StartWorkers>(), 1u);
}

TEST(CoordinatorCheck, BelowTheMinimumNothingIsStarted) {
  Job job = fabric_job(4, 1.0);
  job.assemble();
  open_group(job);
  report_all(job, 0.5);
  EXPECT_EQ(job.count_sent<StartWorkers>(), 0u);
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), to_int(ExitCode::kUnfit));
  EXPECT_NE(job.said().find("minimum"), std::string::npos) << job.said();
}

TEST(CoordinatorCheck, AHungProcessIsAStopAtTheDeadline) {
  Job job = fabric_job(2);
  job.assemble();
  open_group(job);
  const GangId gang = job.gang();
  job.say(0, GangFinished{gang, {report_of(0, 2, 1.0)}, 0});
  job.pass_deadline();
  EXPECT_EQ(job.coordinator.phase(), Phase::kCheckStopping);
  EXPECT_EQ(job.count_sent<StopGang>(), 1u);
  job.end_worker(1, 0, ExitStatus::killed(SIGKILL), true);
  WorkerEnd end;
  end.place.rank = Rank{1};
  end.status = ExitStatus::killed(SIGKILL);
  end.stop_sent = WallTime{};
  job.say(1, WorkerEnded{gang, end});
  job.say(1, GangFinished{gang, {""}, 0});
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), to_int(ExitCode::kUnfit)) << job.said();
}

TEST(CoordinatorCheck, AnAskedForMeasurementThatFailedStopsTheJobWithItsOwnCode) {
  CoordinatorOptions options;
  options.check = CheckMode::kFabric;
  Job job(2, options);
  job.assemble();
  job.feed(CheckGroupFailed{job.gang(), "no port is free"});
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), to_int(ExitCode::kNotMeasured));
}

TEST(CoordinatorCheck, AutoGoesOnUnmeasuredAndSaysSo) {
  Job job = fabric_job(2);
  job.assemble();
  job.feed(CheckGroupFailed{job.gang(), "no port is free"});
  EXPECT_EQ(job.coordinator.phase(), Phase::kRunning);
  EXPECT_NE(job.said().find("could not measure: no port is free"), std::string::npos);
  EXPECT_NE(job.said().find("unmeasured"), std::string::npos);
}

TEST(CoordinatorCheck, CheckProcessesAreNoWorkersToAStop) {
  Job job = fabric_job(2);
  job.assemble();
  open_group(job);
  job.say(0, CancelSeen{SIGTERM, 5});
  EXPECT_NE(job.said().find("stopping 0 workers"), std::string::npos) << job.said();
  const StopGang* stop = Job::sent<StopGang>(job.effects.back());
  ASSERT_NE(stop, nullptr);
  EXPECT_EQ(stop->grace, kCheckStopGrace);
  job.end_worker(1, 0, ExitStatus::exited(1));
  job.finish_all();
  EXPECT_EQ(job.said().find("failed first"), std::string::npos) << job.said();
}

TEST(CoordinatorCheck, ACancelDuringTheCheckStopsTheGangAndTheJob) {
  Job job = fabric_job(2);
  job.assemble();
  open_group(job);
  job.say(0, CancelSeen{SIGTERM, 5});
  EXPECT_EQ(job.coordinator.phase(), Phase::kStopping);
  job.finish_all();
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), 128 + SIGTERM);
}

}  // namespace
}  // namespace muster::launcher
