// The job's life around the looks at its nodes: before the check, after it, and `muster check`.
#include <gtest/gtest.h>

#include "launcher/options/exit_codes.h"
#include "tests/launcher/coordinator/check_fixture.h"
#include "tests/launcher/health/probes/healthy_node.h"

namespace muster::launcher {
namespace {

Job fabric_job(std::uint32_t nodes, CoordinatorOptions options = {}) {
  Job job(nodes, options);
  for (AgentFacts& facts : job.facts) facts.has_fabric_backend = true;
  return job;
}

// Assembled, and nobody has answered yet.
Job looking_job(std::uint32_t nodes, const CoordinatorOptions& options = {}) {
  Job job = fabric_job(nodes, options);
  job.feed(Assembled{job.roster()});
  return job;
}

CoordinatorOptions demanding() {
  CoordinatorOptions options;
  options.profile.name = "mine";
  options.profile.host.nofile = 65536;
  return options;
}

NodeLooked look_with_nofile(std::uint64_t nofile) {
  NodeLooked look = Job::healthy_look(LookId{1});
  health::HealthFacts facts = *health::parse_health_facts(look.facts);
  facts.host.nofile = nofile;
  look.facts = health::encode(facts);
  return look;
}

NodeLooked look_with_driver(LookId id) {
  NodeLooked look = Job::healthy_look(id);
  health::HealthFacts facts = *health::parse_health_facts(look.facts);
  facts.has_driver = true;
  facts.driver_problem.clear();
  look.facts = health::encode(facts);
  return look;
}

std::string report_of(const Job& job) {
  for (const Effect& effect : job.effects) {
    if (const auto* report = std::get_if<KeepReport>(&effect)) return report->text;
  }
  return "";
}

TEST(CoordinatorHealth, EveryNodesLeadAgentIsAskedBeforeTheGangStarts) {
  Job job = looking_job(4);
  EXPECT_EQ(job.coordinator.phase(), Phase::kLooking);
  EXPECT_EQ(job.count_sent<LookAtNode>(), 4u);
  for (std::uint32_t node = 0; node < 3; ++node) job.say(node, Job::healthy_look(LookId{1}));
  EXPECT_EQ(job.coordinator.phase(), Phase::kLooking);
  job.say(3, Job::healthy_look(LookId{1}));
  EXPECT_EQ(job.coordinator.phase(), Phase::kChecking);
  EXPECT_NE(job.said().find("muster: health: 4 nodes, "), std::string::npos) << job.said();
}

TEST(CoordinatorHealth, WithoutACheckNobodyIsAsked) {
  CoordinatorOptions options;
  options.check = CheckMode::kOff;
  Job job = looking_job(4, options);
  EXPECT_EQ(job.count_sent<LookAtNode>(), 0u);
  EXPECT_EQ(job.coordinator.phase(), Phase::kRunning);
}

TEST(CoordinatorHealth, AnUnfitNodeIsNamedAndNothingIsStarted) {
  Job job = looking_job(4, demanding());
  for (std::uint32_t node = 0; node < 4; ++node) {
    job.say(node, look_with_nofile(node == 2 ? 256 : 65536));
  }
  EXPECT_EQ(job.coordinator.phase(), Phase::kClosing);
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), to_int(ExitCode::kUnfit));
  EXPECT_EQ(job.count_sent<StartWorkers>() + job.count_sent<StartCheck>(), 0u);
  EXPECT_NE(job.said().find("health: node3: FAIL nofile 256: "), std::string::npos) << job.said();
}

// Node `index` answers after `took` ms, of which half a ms each way; its clock is `ahead` us.
void answer_with_clock(Job& job, std::uint32_t node, std::int64_t took_ms, std::int64_t ahead_us) {
  constexpr std::int64_t kNoon = 1'790'000'000'000'000;
  NodeLooked look = Job::healthy_look(LookId{1});
  const std::int64_t asked =
      std::chrono::duration_cast<std::chrono::microseconds>(job.now.time_since_epoch()).count();
  look.heard_us = kNoon + asked + 500 + ahead_us;
  look.answered_us = kNoon + asked + took_ms * 1000 - 500 + ahead_us;
  const TimePoint began = job.now;
  job.now += std::chrono::milliseconds(took_ms);
  job.say(node, look);
  job.now = began;
}

TEST(CoordinatorHealth, ANodeWhoseClockIsOffIsNamedThoughItsLookTookSeconds) {
  Job job = looking_job(4);
  for (std::uint32_t node = 0; node < 4; ++node) {
    const std::int64_t ahead_us = node == 2 ? -2'500'000 : 20'000 * std::int64_t{node};
    answer_with_clock(job, node, node == 1 ? 4000 : 50, ahead_us);
  }
  EXPECT_EQ(job.coordinator.phase(), Phase::kChecking);
  EXPECT_NE(job.said().find("health: node3: WARN clock_offset -2.5 s: its clock is -2.5 s off"),
            std::string::npos)
      << job.said();
  EXPECT_EQ(job.said().find("node[1-2,4]"), std::string::npos) << "told twice: " << job.said();
}

TEST(CoordinatorHealth, AClockAMinuteOffIsUnfit) {
  Job job = looking_job(3);
  for (std::uint32_t node = 0; node < 3; ++node) {
    answer_with_clock(job, node, 50, node == 0 ? 75'000'000 : 0);
  }
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), to_int(ExitCode::kUnfit));
  EXPECT_NE(job.said().find("health: node1: FAIL clock_offset +75.0 s: "), std::string::npos)
      << job.said();
}

TEST(CoordinatorHealth, OfTwoClocksThatDifferNobodyIsBlamed) {
  Job job = looking_job(2);
  answer_with_clock(job, 0, 50, 0);
  answer_with_clock(job, 1, 50, 75'000'000);
  EXPECT_EQ(job.coordinator.phase(), Phase::kChecking);
  EXPECT_NE(job.said().find("clock 0.0 s off; node2: clock +75.0 s off (no majority"),
            std::string::npos)
      << job.said();
  EXPECT_EQ(job.said().find("clock_offset"), std::string::npos) << job.said();
}

TEST(CoordinatorHealth, ANodeThatDoesNotAnswerIsNamedAtTheDeadlineAndTheJobGoesOn) {
  Job job = looking_job(2);
  job.say(0, Job::healthy_look(LookId{1}));
  job.pass_deadline();
  EXPECT_EQ(job.coordinator.phase(), Phase::kChecking);
  EXPECT_NE(job.said().find("warned (look)"), std::string::npos) << job.said();
  job.say(1, Job::healthy_look(LookId{1}));  // too late, and harmless
  EXPECT_EQ(job.coordinator.phase(), Phase::kChecking);
}

TEST(CoordinatorHealth, AnAnswerToAnotherQuestionIsNoAnswer) {
  Job job = looking_job(1, [] {
    CoordinatorOptions options;
    options.check = CheckMode::kFabric;
    return options;
  }());
  job.say(0, Job::healthy_look(LookId{7}));
  EXPECT_EQ(job.coordinator.phase(), Phase::kLooking);
}

TEST(CoordinatorHealth, ACancelOrALostAgentEndsTheJobAtOnce) {
  Job cancelled = looking_job(2);
  cancelled.say(0, CancelSeen{SIGTERM, 5});
  EXPECT_EQ(cancelled.coordinator.phase(), Phase::kClosing);
  cancelled.acknowledge_all();
  EXPECT_EQ(cancelled.exit_code(), 128 + SIGTERM);

  Job lost = looking_job(2);
  lost.feed(AgentLost{MemberIndex{1}, false, "connection closed", {}, {}});
  EXPECT_EQ(lost.coordinator.phase(), Phase::kClosing);
  lost.say(0, CloseAcknowledged{});
  EXPECT_EQ(lost.exit_code(), to_int(ExitCode::kLost)) << lost.said();
}

TEST(CoordinatorHealth, NodesWithDevicesAreLookedAtAgainAfterTheCheck) {
  Job job = looking_job(2);
  for (std::uint32_t node = 0; node < 2; ++node) job.say(node, look_with_driver(LookId{1}));
  ASSERT_EQ(job.coordinator.phase(), Phase::kChecking) << job.said();
  job.feed(CheckGroupsOpened{job.gang(), {12345}, "key"});
  job.finish_all();  // without reports: could not measure, and --check=auto goes on
  EXPECT_EQ(job.coordinator.phase(), Phase::kLookingAgain);
  EXPECT_EQ(job.count_sent<LookAtNode>(), 4u);
  job.say(0, look_with_driver(LookId{2}));
  job.pass_deadline();
  EXPECT_NE(job.said().find("node2: WARN look: its agent did not answer in 20 s"),
            std::string::npos)
      << job.said();
}

TEST(CoordinatorHealth, TheNodeThatTheCheckFoundUnfitIsLookedAtAgainToo) {
  CheckedJob job(4, CheckedJob::with_minimum(1.0));
  job.speed = {2.0, 0.4, 2.0, 2.0};
  job.feed(Assembled{job.roster()});
  for (std::uint32_t node = 0; node < 4; ++node) job.say(node, look_with_driver(LookId{1}));
  job.run_rounds();
  ASSERT_EQ(job.coordinator.phase(), Phase::kLookingAgain) << job.said();
  EXPECT_EQ(job.count_sent<LookAtNode>(), 8u);
  for (std::uint32_t node = 0; node < 4; ++node) job.say(node, look_with_driver(LookId{2}));
  EXPECT_EQ(job.coordinator.phase(), Phase::kClosing) << job.said();
}

TEST(CoordinatorHealth, TheProfilesEnvironmentGoesToTheWorkersAndIsToldOnce) {
  CoordinatorOptions options;
  options.profile.name = "p5";
  options.job_environment = {"FI_EFA_USE_HUGE_PAGE=0"};
  options.environment_lines = {"set FI_EFA_USE_HUGE_PAGE=0: a reason"};
  options.check = CheckMode::kOff;
  Job job = looking_job(1, options);
  EXPECT_EQ(job.said(),
            "muster: profile p5\nmuster: profile: set FI_EFA_USE_HUGE_PAGE=0: a reason\n");
  const StartWorkers* start = Job::sent<StartWorkers>(job.effects.back());
  ASSERT_NE(start, nullptr);
  EXPECT_EQ(start->environment, options.job_environment);
}

CoordinatorOptions check_only() {
  CoordinatorOptions options;
  options.check_only = true;
  return options;
}

TEST(CoordinatorHealth, MusterCheckStartsNoProgramAndKeepsItsReport) {
  Job job(1, check_only());
  job.assemble();
  EXPECT_EQ(job.coordinator.phase(), Phase::kClosing);
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), 0);
  EXPECT_EQ(job.count_sent<StartWorkers>(), 0u);
  EXPECT_NE(job.said().find("node1: "), std::string::npos) << job.said();
  EXPECT_NE(job.said().find("check: fit as far as the probes tell"), std::string::npos);
  EXPECT_NE(report_of(job).find("\"verdict\":\"fit\""), std::string::npos) << report_of(job);
}

TEST(CoordinatorHealth, MusterCheckThatCannotMeasureSaysSoByItsCode) {
  Job job = fabric_job(2, check_only());
  job.assemble();
  job.feed(CheckGroupsFailed{job.gang(), "no port is free"});
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), to_int(ExitCode::kNotMeasured));
  EXPECT_NE(report_of(job).find("\"verdict\":\"not measured\""), std::string::npos);
}

TEST(CoordinatorHealth, MusterCheckTellsOfAnAssemblyThatFailed) {
  Job job(1, check_only());
  job.feed(AssemblyFailed{"node2 did not come", 81});
  EXPECT_EQ(job.exit_code(), 81);
  EXPECT_NE(report_of(job).find("\"verdict\":\"missing nodes\""), std::string::npos);
}

// Two p5 nodes whose NCCL measured well: over sockets on the second.
TEST(CoordinatorHealth, AFallBackToSocketsThatTheCheckShowedEndsTheJob) {
  CoordinatorOptions options;
  options.profile.name = "p5";
  options.profile.gpus = health::p5().gpus;
  options.profile.nics = health::p5().nics;
  options.check_sizes = bench::SizeRange{1 << 20, 1 << 20, 0, 2};
  Job job(2, options);
  for (AgentFacts& facts : job.facts) facts.has_nccl_backend = true;
  const auto look = [&job](std::uint32_t id) {
    health::HealthFacts facts = health::healthy_node();
    facts.nccl = {};
    facts.taken_at_ms = 1000 * id;
    for (std::uint32_t node = 0; node < 2; ++node) {
      job.say(node, NodeLooked{LookId{id}, health::encode(facts), "", {}});
    }
  };
  job.feed(Assembled{job.roster()});
  look(1);
  // Rounds inside the nodes, then over both: each rank of a node reports in each.
  while (job.coordinator.phase() == Phase::kChecking) {
    const OpenCheckGroups* round = nullptr;
    for (const Effect& effect : job.effects) {
      if (const auto* open = std::get_if<OpenCheckGroups>(&effect)) round = open;
    }
    ASSERT_NE(round, nullptr) << job.said();
    const GangId gang = round->gang;
    const auto groups = round->groups;
    job.feed(CheckGroupsOpened{gang, std::vector<std::uint16_t>(groups.size(), 12345), "key"});
    for (std::uint32_t node = 0; node < 2; ++node) {
      std::vector<std::string> reports;
      for (const auto& group : groups) {
        for (std::uint32_t rank = 0; rank < group.size(); ++rank) {
          if (value_of(group[rank].node) != node) continue;
          bench::RankReport report =
              fabric_report(rank, static_cast<std::uint32_t>(group.size()), 400);
          report.backend = "nccl";
          report.nccl = node == 0
                            ? health::NcclFacts{"2.28.3", "1.16.3", "Libfabric", "efa", 32, 8, 8}
                            : health::NcclFacts{"2.28.3", "", "Socket", "", 0, 0, 0};
          reports.push_back(bench::print_report(report));
        }
      }
      if (!reports.empty()) job.say(node, GangFinished{gang, reports, 0});
    }
  }
  ASSERT_EQ(job.coordinator.phase(), Phase::kLookingAgain) << job.said();
  look(2);
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), to_int(ExitCode::kUnfit)) << job.said();
  EXPECT_EQ(job.count_sent<StartWorkers>(), 0u);
  EXPECT_NE(job.said().find("health: node2: FAIL network Socket: NCCL fell back"),
            std::string::npos)
      << job.said();
  EXPECT_EQ(job.said().find("node1: FAIL"), std::string::npos) << job.said();
}

// A recorded figure of just this shape stops; a published one of the fabric's is not compared.
TEST(CoordinatorHealth, ARecordedFigureStopsTheJobThatFallsShort) {
  for (const bench::FigureKind kind :
       {bench::FigureKind::kRecorded, bench::FigureKind::kPublished}) {
    CoordinatorOptions options;
    options.profile.name = "mine";
    options.check_sizes = bench::SizeRange{1 << 20, 1 << 20, 0, 2};
    options.profile.sources["run"] = "job 1";
    options.profile.busbw = {{"all_reduce", 2, 1, "", kind, 0.1, {{1 << 20, 100.0, "run"}}}};
    CheckedJob job(2, options);
    job.assemble();
    job.run_rounds();
    job.acknowledge_all();
    const bool stops = kind == bench::FigureKind::kRecorded;
    EXPECT_EQ(job.count_sent<StartWorkers>(), stops ? 0u : 1u) << job.said();
    EXPECT_EQ(job.said().find("the profile mine expects at least 90 GB/s (recorded: job 1)") !=
                  std::string::npos,
              stops)
        << job.said();
  }
}

}  // namespace
}  // namespace muster::launcher
