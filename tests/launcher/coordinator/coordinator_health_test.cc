// The job's life around the looks at its nodes: before the check, after it, and `muster check`.
#include <gtest/gtest.h>

#include "launcher/options/exit_codes.h"
#include "tests/launcher/coordinator/check_fixture.h"

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
