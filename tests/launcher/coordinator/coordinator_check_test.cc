#include <gtest/gtest.h>

#include "launcher/options/exit_codes.h"
#include "tests/launcher/coordinator/check_fixture.h"

namespace muster::launcher {
namespace {

using process::ExitStatus;

CheckedJob fabric_job(std::uint32_t nodes, double minimum = 0) {
  return CheckedJob(nodes, minimum > 0 ? CheckedJob::with_minimum(minimum) : CoordinatorOptions{});
}

TEST(CoordinatorCheck, AutoChoosesTheFabricWithoutGpusAndSaysSo) {
  CheckedJob job = fabric_job(4);
  job.assemble();
  EXPECT_EQ(job.coordinator.phase(), Phase::kChecking);
  EXPECT_NE(job.said().find("check: fabric"), std::string::npos);
  job.open_groups();
  EXPECT_EQ(job.count_sent<StartCheck>(), 4u);
}

TEST(CoordinatorCheck, AutoChoosesNcclWhereEveryAgentHasIt) {
  CheckedJob job = fabric_job(2);
  for (AgentFacts& facts : job.facts) facts.has_nccl_backend = true;
  job.assemble();
  EXPECT_NE(job.said().find("check: nccl"), std::string::npos);
  const auto* group = std::get_if<OpenCheckGroups>(&job.effects.back());
  ASSERT_NE(group, nullptr);
  ASSERT_EQ(group->groups.size(), 2u) << "inside the nodes first";
  EXPECT_EQ(group->groups[1].size(), 8u);
  EXPECT_EQ(group->groups[1][1].node, NodeIndex{1});
  EXPECT_EQ(group->groups[1][1].task, LocalTask{1});
}

TEST(CoordinatorCheck, AutoSkipsOneNodeWithoutGpus) {
  CheckedJob job = fabric_job(1);
  job.assemble();
  EXPECT_EQ(job.coordinator.phase(), Phase::kRunning);
  EXPECT_NE(job.said().find("skipped"), std::string::npos);
}

TEST(CoordinatorCheck, AFitMachineGoesOnToTheWorkers) {
  CheckedJob job = fabric_job(4, 1.0);
  job.assemble();
  job.speed.assign(4, 2.0);
  job.run_round();
  EXPECT_EQ(job.coordinator.phase(), Phase::kRunning);
  EXPECT_EQ(job.count_sent<StartWorkers>(), 1u);
}

TEST(CoordinatorCheck, BelowTheMinimumNothingIsStarted) {
  CheckedJob job = fabric_job(4, 1.0);
  job.assemble();
  job.speed.assign(4, 0.5);
  job.run_rounds();
  EXPECT_EQ(job.count_sent<StartWorkers>(), 0u);
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), to_int(ExitCode::kUnfit));
  EXPECT_NE(job.said().find("minimum"), std::string::npos) << job.said();
}

TEST(CoordinatorCheck, AHungProcessOfTwoIsNamedAndStopsTheJob) {
  CheckedJob job = fabric_job(2);
  job.stuck = {1};
  job.assemble();
  job.run_round();
  EXPECT_EQ(job.count_sent<StopGang>(), 2u);
  job.run_rounds();
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), to_int(ExitCode::kUnfit)) << job.said();
  EXPECT_NE(job.said().find("node2"), std::string::npos) << job.said();
}

TEST(CoordinatorCheck, ASlowNodeIsNamedWithTheCommandsOfAnOperator) {
  CheckedJob job = fabric_job(4, 0.9);
  job.speed[2] = 0.5;
  job.assemble();
  job.run_rounds();
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), to_int(ExitCode::kUnfit));
  EXPECT_NE(job.said().find("verdict: stop: node3: "), std::string::npos) << job.said();
  EXPECT_NE(job.said().find("scontrol update nodename=node3 state=drain"), std::string::npos)
      << job.said();
  EXPECT_NE(job.said().find("--exclude=node3"), std::string::npos) << job.said();
  EXPECT_EQ(job.count_sent<StartWorkers>(), 0u);
}

TEST(CoordinatorCheck, ACulpritWhereNothingMayStopIsAWarningAndNoPlainFit) {
  CoordinatorOptions options;
  options.check_only = true;
  CheckedJob job(4, options);
  job.speed[2] = 0.5;
  job.assemble();
  job.run_rounds();
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), 0);
  EXPECT_NE(job.said().find("verdict: warn: node3: "), std::string::npos) << job.said();
  EXPECT_NE(job.said().find("check: fit, with a warning"), std::string::npos) << job.said();
}

TEST(CoordinatorCheck, AHealthyMachineCostsOneRound) {
  CheckedJob job = fabric_job(8, 0.9);
  job.assemble();
  job.run_rounds();
  EXPECT_EQ(job.rounds, 1u);
  EXPECT_EQ(job.coordinator.phase(), Phase::kRunning);
}

CheckedJob job_with_spare(std::uint32_t nodes, std::uint32_t wanted) {
  CoordinatorOptions options = CheckedJob::with_minimum(0.9);
  options.world_nodes = wanted;
  return CheckedJob(nodes, options);
}

std::vector<std::uint32_t> started_on(const Job& job) {
  std::vector<std::uint32_t> nodes;
  for (const Effect& effect : job.effects) {
    const auto* one = std::get_if<SendTo>(&effect);
    if (one != nullptr && std::holds_alternative<StartWorkers>(one->message)) {
      nodes.push_back(value_of(one->agent));
    }
  }
  return nodes;
}

TEST(CoordinatorCheck, WithASpareTheJobRunsWithoutTheSlowNode) {
  CheckedJob job = job_with_spare(5, 4);
  job.speed[1] = 0.5;
  job.assemble();
  job.run_rounds();
  EXPECT_EQ(job.coordinator.phase(), Phase::kRunning) << job.said();
  EXPECT_EQ(started_on(job), (std::vector<std::uint32_t>{0, 2, 3, 4})) << job.said();
  EXPECT_NE(job.said().find("world: node[1,3-5]; out: node2"), std::string::npos) << job.said();
}

TEST(CoordinatorCheck, AFitSpareStaysIdle) {
  CheckedJob job = job_with_spare(4, 3);
  job.assemble();
  job.run_rounds();
  EXPECT_EQ(started_on(job), (std::vector<std::uint32_t>{0, 1, 2}));
  EXPECT_NE(job.said().find("spare: node4"), std::string::npos) << job.said();
  job.feed(AgentLost{MemberIndex{3}, true, "silent for 10 s", {}, {}});
  EXPECT_EQ(job.coordinator.phase(), Phase::kRunning) << "nothing ran there";
  EXPECT_NE(job.said().find("node4 is lost"), std::string::npos);
}

TEST(CoordinatorCheck, ASpareStandsInForANodeLostWhileTheStoreOpens) {
  CoordinatorOptions options = CheckedJob::with_minimum(0.9);
  options.world_nodes = 2;
  options.store = StoreMode::kAgent;
  CheckedJob job(4, options);
  job.assemble();
  job.run_rounds();
  ASSERT_EQ(job.coordinator.phase(), Phase::kOpeningStore) << job.said();
  job.feed(AgentLost{MemberIndex{0}, false, "connection closed", {}, {}});
  job.feed(AgentLost{MemberIndex{2}, false, "connection closed", {}, {}});
  ASSERT_EQ(job.coordinator.phase(), Phase::kOpeningStore) << job.said();
  EXPECT_EQ(job.count_sent<OpenStore>(), 2u) << "of node1 and node2";
  job.say(1, StoreOpened{Attempt{0}, 13007});
  EXPECT_EQ(started_on(job), (std::vector<std::uint32_t>{1, 3})) << job.said();
  job.feed(AgentLost{MemberIndex{3}, false, "connection closed", {}, {}});
  EXPECT_EQ(job.coordinator.phase(), Phase::kStopping) << "its workers run";
}

TEST(CoordinatorCheck, ASpareIsNotAskedWhetherItStartedWorkers) {
  CheckedJob job = job_with_spare(4, 3);
  job.assemble();
  job.run_rounds();
  for (const std::uint32_t node : {0u, 1u, 2u}) job.say(node, WorkersStarted{job.gang()});
  EXPECT_EQ(job.coordinator.phase(), Phase::kRunning);
  EXPECT_FALSE(job.coordinator.next_deadline());
}

TEST(CoordinatorCheck, ANodeCutOffInARoundStaysOutWhereASpareIs) {
  CheckedJob job = job_with_spare(4, 3);
  job.assemble();
  const GangId first = job.gang();
  job.open_groups();
  job.feed(AgentLost{MemberIndex{2}, true, "silent for 10 s", {}, {}});
  ASSERT_EQ(job.coordinator.phase(), Phase::kChecking);
  for (const std::uint32_t node : {0u, 1u, 3u}) job.say(node, GangFinished{first, {""}, 0});
  ASSERT_NE(job.gang(), first) << "the others are measured anew";
  EXPECT_EQ(job.last_groups(), (std::vector<std::vector<std::uint32_t>>{{0, 1, 3}}));
  job.run_rounds();
  EXPECT_EQ(started_on(job), (std::vector<std::uint32_t>{0, 1, 3}));
}

TEST(CoordinatorCheck, ANodeCutOffInARoundEndsAJobThatNeedsIt) {
  CheckedJob job = fabric_job(3);
  job.assemble();
  job.open_groups();
  job.feed(AgentLost{MemberIndex{2}, true, "silent for 10 s", {}, {}});
  EXPECT_EQ(job.coordinator.phase(), Phase::kStopping);
  job.finish_all();
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), to_int(ExitCode::kLost));
}

TEST(CoordinatorCheck, AnAgentThatDoesNotEndItsProcessesIsNotWaitedFor) {
  CheckedJob job = fabric_job(3);
  job.assemble();
  job.open_groups();
  const GangId gang = job.gang();
  job.say(0, GangFinished{gang, {""}, 0});
  job.say(1, GangFinished{gang, {""}, 0});
  job.pass_deadline();
  job.pass_deadline();
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), to_int(ExitCode::kUnfit)) << job.said();
  EXPECT_NE(job.said().find("node3: its agent did not end the check's processes"),
            std::string::npos);
}

TEST(CoordinatorCheck, TooFewNodesForTheWorldEndTheJobWithBothNumbers) {
  CheckedJob job = job_with_spare(3, 4);
  job.assemble();
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), to_int(ExitCode::kMissingNodes));
  EXPECT_NE(job.said().find("needs 4 nodes (--nodes), 3 are here"), std::string::npos);
}

TEST(CoordinatorCheck, TheSearchEndsAtItsDeadline) {
  CheckedJob job = fabric_job(4, 0.9);
  job.speed[2] = 0.5;
  job.assemble();
  job.run_round();
  ASSERT_EQ(job.coordinator.phase(), Phase::kChecking) << "pairs";
  EXPECT_NE(job.said().find("a search follows, of 60 s at most (--check-deadline)"),
            std::string::npos);
  job.now += std::chrono::minutes(2);
  job.run_rounds();
  EXPECT_NE(job.said().find("its time is over"), std::string::npos) << job.said();
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), to_int(ExitCode::kUnfit)) << "below the minimum all the same";
}

// Its processes would not even meet: a hang of everybody, seen by nobody.
TEST(CoordinatorCheck, NoRoundBeginsWithoutTheTimeToStartItsProcesses) {
  CheckedJob job = fabric_job(4, 0.9);
  job.speed[2] = 0.5;
  job.assemble();
  job.run_round();
  ASSERT_EQ(job.coordinator.phase(), Phase::kChecking) << "pairs";
  job.now += std::chrono::seconds(50);  // of 60
  job.run_round();
  EXPECT_NE(job.said().find("its time is over"), std::string::npos) << job.said();
  EXPECT_EQ(job.coordinator.phase(), Phase::kClosing);
}

TEST(CoordinatorCheck, AGroupThatTheEndOfTheSearchCutShortDidNotHang) {
  CheckedJob job = fabric_job(4, 0.9);
  job.speed[2] = 0.5;
  job.assemble();
  job.run_round();
  job.now += std::chrono::seconds(44);  // of 60: a second less than the next round may take
  job.run_round();
  ASSERT_EQ(job.coordinator.phase(), Phase::kChecking) << "pairs again, cut short";
  job.stuck = {0, 1, 2, 3};
  job.run_round();
  EXPECT_NE(job.said().find("its time is over"), std::string::npos) << job.said();
  EXPECT_EQ(job.said().find("hung"), std::string::npos) << job.said();
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), to_int(ExitCode::kUnfit)) << "below the minimum all the same";
}

TEST(CoordinatorCheck, OfThreeNodesOfUnknownSpeedTheOneThatHangsIsFoundInTime) {
  for (const std::uint32_t node : {0u, 1u, 2u}) {
    CoordinatorOptions options;
    options.world_nodes = 2;
    options.check_deadline = std::chrono::minutes(5);
    CheckedJob job(3, options);
    job.stuck = {node};
    job.assemble();
    job.run_rounds();
    const std::string out = "; out: node" + std::to_string(node + 1);
    EXPECT_NE(job.said().find(out), std::string::npos) << job.said();
  }
}

TEST(CoordinatorCheck, ABaselineIsKeptOfAFitMachineOnly) {
  CoordinatorOptions options;
  options.record_baseline = true;
  options.check_sizes = bench::SizeRange{1 << 20, 1 << 20, 0, 2};
  const auto kept = [](const Job& job) -> const KeepBaseline* {
    for (const Effect& effect : job.effects) {
      if (const auto* baseline = std::get_if<KeepBaseline>(&effect)) return baseline;
    }
    return nullptr;
  };
  CheckedJob fit(4, options);
  fit.assemble();
  fit.run_rounds();
  ASSERT_NE(kept(fit), nullptr);
  EXPECT_EQ(kept(fit)->profile.busbw.size(), 2u) << "over four nodes, and in pairs";
  CheckedJob unfit(4, options);
  unfit.speed[0] = 0.5;
  unfit.assemble();
  unfit.run_rounds();
  EXPECT_EQ(kept(unfit), nullptr);
  EXPECT_NE(unfit.said().find("nothing is recorded"), std::string::npos) << unfit.said();
}

TEST(CoordinatorCheck, AnAskedForMeasurementThatFailedStopsTheJobWithItsOwnCode) {
  CoordinatorOptions options;
  options.check = CheckMode::kFabric;
  Job job(2, options);
  job.assemble();
  job.feed(CheckGroupsFailed{job.gang(), "no port is free"});
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), to_int(ExitCode::kNotMeasured));
}

TEST(CoordinatorCheck, AnUnmeasuredJobThatLosesANodeNeverBecomesASmallerWorld) {
  CoordinatorOptions options;
  options.store = StoreMode::kAgent;
  CheckedJob job(3, options);
  job.assemble();
  job.open_groups();
  for (const std::uint32_t node : {0u, 1u, 2u}) job.say(node, GangFinished{job.gang(), {""}, 0});
  ASSERT_EQ(job.coordinator.phase(), Phase::kOpeningStore) << job.said();
  ASSERT_NE(job.said().find("unmeasured"), std::string::npos) << job.said();
  AgentLost loss;
  loss.agent = MemberIndex{2};
  loss.detail = "connection closed by peer";
  job.feed(loss);
  EXPECT_EQ(job.coordinator.phase(), Phase::kClosing) << job.said();
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), to_int(ExitCode::kLost));
}

TEST(CoordinatorCheck, AutoGoesOnUnmeasuredAndSaysSo) {
  CheckedJob job = fabric_job(2);
  job.assemble();
  job.feed(CheckGroupsFailed{job.gang(), "no port is free"});
  EXPECT_EQ(job.coordinator.phase(), Phase::kRunning);
  EXPECT_NE(job.said().find("could not measure: no port is free"), std::string::npos);
  EXPECT_NE(job.said().find("unmeasured"), std::string::npos);
}

TEST(CoordinatorCheck, WithoutPortsForTheSearchTheWorldsMeasurementCounts) {
  CheckedJob job = fabric_job(4, 0.9);
  job.speed[2] = 0.5;
  job.assemble();
  job.run_round();
  ASSERT_EQ(job.coordinator.phase(), Phase::kChecking) << "pairs";
  job.feed(CheckGroupsFailed{job.gang(), "no port is free"});
  EXPECT_NE(job.said().find("no port is free"), std::string::npos) << job.said();
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), to_int(ExitCode::kUnfit)) << job.said();
}

TEST(CoordinatorCheck, WordsOfTheRoundBeforeDoNotEndThisOne) {
  CheckedJob job = fabric_job(4, 0.9);
  job.speed[2] = 0.5;
  job.assemble();
  const GangId first = job.gang();
  job.run_round();
  ASSERT_NE(job.gang(), first);
  const auto deadline = job.coordinator.next_deadline();
  job.feed(CheckGroupsFailed{first, "no port is free"});
  job.feed(CheckGroupsOpened{first, {1}, "key"});
  job.say(0, GangFinished{first, {""}, 0});
  EXPECT_EQ(job.coordinator.phase(), Phase::kChecking) << job.said();
  EXPECT_EQ(job.coordinator.next_deadline(), deadline);
}

TEST(CoordinatorCheck, AnAgentAheadOfItsOrdersLeavesTheDeadlineOfTheOpening) {
  CheckedJob job = fabric_job(3);
  job.assemble();
  const auto deadline = job.coordinator.next_deadline();
  ASSERT_TRUE(deadline);
  job.say(1, GangFinished{job.gang(), {""}, 0});
  EXPECT_EQ(job.coordinator.next_deadline(), deadline);
}

// With --nnodes=MIN:MAX the nodes before it may be missing.
TEST(CoordinatorCheck, ANodeAloneHasNoFabricWhateverItsNumber) {
  CheckedJob job = fabric_job(1);
  rendezvous::Roster roster = job.roster();
  roster.members[0].description.node = NodeIndex{2};
  job.feed(Assembled{roster});
  EXPECT_EQ(job.coordinator.phase(), Phase::kRunning) << job.said();
  EXPECT_NE(job.said().find("skipped, one node"), std::string::npos) << job.said();
}

TEST(CoordinatorCheck, CheckProcessesAreNoWorkersToAStop) {
  CheckedJob job = fabric_job(2);
  job.assemble();
  job.open_groups();
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
  CheckedJob job = fabric_job(2);
  job.assemble();
  job.open_groups();
  job.say(0, CancelSeen{SIGTERM, 5});
  EXPECT_EQ(job.coordinator.phase(), Phase::kStopping);
  job.finish_all();
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), 128 + SIGTERM);
}

}  // namespace
}  // namespace muster::launcher
