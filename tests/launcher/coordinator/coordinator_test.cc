#include "launcher/coordinator/coordinator.h"

#include <gtest/gtest.h>

#include "launcher/options/exit_codes.h"
#include "tests/launcher/coordinator/job_fixture.h"

namespace muster::launcher {
namespace {

using process::ExitStatus;

CoordinatorOptions unchecked() {
  CoordinatorOptions options;
  options.check = CheckMode::kOff;
  return options;
}

TEST(Coordinator, StartsTheWorkersOnceAllAgentsAreThere) {
  Job job(4, unchecked());
  job.assemble();
  EXPECT_EQ(job.count_sent<StartWorkers>(), 1u);
  EXPECT_EQ(job.coordinator.phase(), Phase::kRunning);
}

TEST(Coordinator, AStdinForARankBeyondTheWorldEndsTheJobBeforeAWorkerStarts) {
  CoordinatorOptions options = unchecked();
  options.stdin_rank = Rank{16};
  Job job(2, options);
  job.assemble();
  job.acknowledge_all();
  EXPECT_EQ(job.count_sent<StartWorkers>(), 0u);
  EXPECT_EQ(job.exit_code(), to_int(ExitCode::kUsage));
  EXPECT_EQ(job.said(),
            "muster: --stdin=16: the world has 16 workers; expected a rank of 0 to 15\n");
  options.stdin_rank = Rank{15};
  Job fits(2, options);
  fits.assemble();
  EXPECT_EQ(fits.count_sent<StartWorkers>(), 1u);
}

TEST(Coordinator, TheRankOfStdinMustBeOfTheWorldWithoutItsSpares) {
  CoordinatorOptions options = unchecked();
  options.stdin_rank = Rank{15};
  options.world_nodes = 1;
  Job job(2, options);
  job.assemble();
  job.acknowledge_all();
  EXPECT_EQ(job.count_sent<StartWorkers>(), 0u);
  EXPECT_EQ(job.exit_code(), to_int(ExitCode::kUsage));
  EXPECT_NE(job.said().find("--stdin=15: the world has 8 workers; expected"), std::string::npos)
      << job.said();
}

TEST(Coordinator, WaitsForTheWorkersStartAndForTheirEndWithoutADeadline) {
  Job job(2, unchecked());
  job.assemble();
  EXPECT_EQ(job.coordinator.next_deadline(), job.now + kStartPatience);
  job.say(0, WorkersStarted{job.gang()});
  job.say(1, WorkersStarted{GangId{77}});
  EXPECT_TRUE(job.coordinator.next_deadline());
  job.say(1, WorkersStarted{job.gang()});
  EXPECT_FALSE(job.coordinator.next_deadline());
  EXPECT_EQ(job.coordinator.phase(), Phase::kRunning);
}

TEST(Coordinator, AnAgentThatStartsNoWorkersEndsTheJobAndIsNamed) {
  Job job(4, unchecked());
  job.assemble();
  for (const std::uint32_t node : {0u, 1u, 3u}) job.say(node, WorkersStarted{job.gang()});
  job.pass_deadline();
  EXPECT_EQ(job.coordinator.phase(), Phase::kStopping);
  EXPECT_EQ(job.count_sent<StopGang>(), 1u);
  EXPECT_EQ(job.said(), "muster: node3: its agent did not start its workers within 20 s\n");
  for (const std::uint32_t node : {0u, 1u, 3u}) job.say(node, GangFinished{job.gang(), {}, 0});
  EXPECT_EQ(job.coordinator.phase(), Phase::kClosing) << "its end is not waited for";
  for (const std::uint32_t node : {0u, 1u, 3u}) job.say(node, CloseAcknowledged{});
  EXPECT_EQ(job.exit_code(), -1);
  job.pass_deadline();
  EXPECT_EQ(job.exit_code(), to_int(ExitCode::kLost));
  EXPECT_NE(job.said().find("\nmuster: node3: its agent did not acknowledge the end within 2 s\n"),
            std::string::npos)
      << job.said();
}

TEST(Coordinator, SeveralAgentsThatStartNothingAreOneLine) {
  Job job(4, unchecked());
  job.assemble();
  job.say(0, WorkersStarted{job.gang()});
  job.pass_deadline();
  EXPECT_EQ(job.said(),
            "muster: node[2-4]: their agents did not start their workers within 20 s\n");
}

TEST(Coordinator, AGangThatIsGoneWasStarted) {
  Job job(2, unchecked());
  job.assemble();
  job.say(0, GangFinished{job.gang(), {}, 0});
  EXPECT_TRUE(job.coordinator.next_deadline());
  job.say(1, WorkersStarted{job.gang()});
  EXPECT_FALSE(job.coordinator.next_deadline());

  Job other(2, unchecked());
  other.assemble();
  other.say(1, WorkersStarted{other.gang()});
  other.say(0, GangFinished{other.gang(), {}, 0});
  EXPECT_EQ(other.coordinator.phase(), Phase::kRunning);
  EXPECT_FALSE(other.coordinator.next_deadline());
}

TEST(Coordinator, EndsWithZeroWhenEveryGangEndedWell) {
  Job job(2, unchecked());
  job.assemble();
  for (std::uint32_t node = 0; node < 2; ++node) {
    for (std::uint32_t local = 0; local < 8; ++local)
      job.end_worker(node, local, ExitStatus::exited(0));
  }
  job.finish_all();
  EXPECT_EQ(job.coordinator.phase(), Phase::kClosing);
  EXPECT_EQ(job.exit_code(), -1);
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), 0);
  EXPECT_EQ(job.said(), "");
}

TEST(Coordinator, OneFailureStopsAllAndItsCodeIsTheJobs) {
  Job job(2, unchecked());
  job.assemble();
  job.end_worker(1, 3, ExitStatus::exited(3));
  EXPECT_EQ(job.coordinator.phase(), Phase::kStopping);
  EXPECT_EQ(job.count_sent<StopGang>(), 1u);
  job.end_worker(0, 0, ExitStatus::killed(SIGTERM), true);
  job.finish_all();
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), 3);
  EXPECT_NE(job.said().find("rank 11 (node2, local rank 3) failed first: exit code 3"),
            std::string::npos)
      << job.said();
}

TEST(Coordinator, LaterWordsOfAWorkerReplaceItsFirstReport) {
  Job job(1, unchecked());
  job.assemble();
  job.end_worker(0, 3, ExitStatus::exited(1));
  WorkerEnd end;
  end.place = {Rank{3}, LocalRank{3}, NodeIndex{0}, "node1"};
  end.status = ExitStatus::exited(1);
  end.when = job.wall;
  end.stderr_tail = {"Traceback (most recent call last):", "  File \"x.py\", line 1, in <module>",
                     "ValueError: boom"};
  job.say(0, WorkerEnded{job.gang(), end});
  job.finish_all();
  EXPECT_NE(job.said().find("ValueError: boom"), std::string::npos) << job.said();
}

// An agent that could not even plan does not know its ranks.
TEST(Coordinator, AStartFailureWithoutAPlaceIsOfTheAgentThatTellsIt) {
  Job job(3, unchecked());
  job.assemble();
  WorkerEnd end;
  end.place.host = "node3";
  end.start_failure = verdict::StartFailure{"memfd_create: too many open files", 86};
  end.when = job.wall;
  job.say(2, WorkerEnded{job.gang(), end});
  job.end_worker(0, 0, ExitStatus::killed(SIGTERM), true);
  job.finish_all();
  EXPECT_NE(job.said().find("rank 16 (node3, local rank 0)"), std::string::npos) << job.said();
  EXPECT_NE(job.said().find("memfd_create: too many open files"), std::string::npos) << job.said();
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), 86);
}

TEST(Coordinator, ACancelIsTheFirstCauseNotTheWorkersThatDiedOfIt) {
  Job job(2, unchecked());
  job.assemble();
  job.say(1, CancelSeen{SIGTERM, 1'000'000'000});
  EXPECT_NE(job.said().find("SIGTERM on node2"), std::string::npos) << job.said();
  job.say(0, CancelSeen{SIGTERM, 1'000'000'500});
  EXPECT_EQ(job.count_sent<StopGang>(), 1u);
  job.end_worker(0, 0, ExitStatus::killed(SIGTERM), true);
  job.finish_all();
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), 128 + SIGTERM);
}

// Slurm's SIGKILL would come first.
TEST(Coordinator, AfterACancelNobodyIsWaitedForLonger) {
  Job job(2, unchecked());
  job.assemble();
  const TimePoint began = job.now;
  job.say(0, CancelSeen{SIGTERM, 0});
  for (std::uint32_t local = 0; local < 8; ++local)
    job.end_worker(1, local, ExitStatus::killed(SIGKILL), true);
  job.say(0, GangFinished{job.gang(), {}, 0});
  job.pass_deadline();
  EXPECT_EQ(job.coordinator.phase(), Phase::kClosing);
  job.say(0, CloseAcknowledged{});
  job.pass_deadline();
  EXPECT_EQ(job.exit_code(), 128 + SIGTERM);
  EXPECT_EQ(job.now - began, CoordinatorOptions{}.stop_grace + kKillPatience + kClosingPatience);
}

TEST(Coordinator, ALostAgentEndsTheJobWithoutWaitingForIt) {
  Job job(3, unchecked());
  job.assemble();
  AgentLost loss;
  loss.agent = MemberIndex{1};
  loss.detail = "connection closed";
  job.feed(loss);
  job.say(0, GangFinished{job.gang(), {}, 0});
  EXPECT_EQ(job.coordinator.phase(), Phase::kStopping);
  job.say(2, GangFinished{job.gang(), {}, 0});
  job.say(0, CloseAcknowledged{});
  job.say(2, CloseAcknowledged{});
  EXPECT_EQ(job.exit_code(), to_int(ExitCode::kLost));
  EXPECT_NE(job.said().find("node2"), std::string::npos) << job.said();
}

TEST(Coordinator, AgentsThatTellNoEndDoNotHoldIt) {
  Job job(2, unchecked());
  job.assemble();
  job.end_worker(0, 0, ExitStatus::exited(5));
  job.pass_deadline();
  EXPECT_EQ(job.coordinator.phase(), Phase::kClosing);
  EXPECT_NE(
      job.said().find(
          "muster: node[1-2]: their agents did not tell the end of their workers within 20 s\n"),
      std::string::npos)
      << job.said();
  job.pass_deadline();
  EXPECT_EQ(job.exit_code(), 5);
}

void end_all_well(Job& job, std::uint32_t nodes) {
  job.assemble();
  for (std::uint32_t node = 0; node < nodes; ++node) {
    for (std::uint32_t local = 0; local < 8; ++local)
      job.end_worker(node, local, ExitStatus::exited(0));
  }
  job.finish_all();
}

TEST(Coordinator, AnAgentThatIsLateForTheEndIsNamedAndWaitedFor) {
  Job job(2, unchecked());
  end_all_well(job, 2);
  job.say(0, CloseAcknowledged{});
  job.pass_deadline();
  EXPECT_EQ(job.exit_code(), -1) << "a node that is cut off may be back soon";
  EXPECT_EQ(job.said(), "muster: node2: its agent did not acknowledge the end within 2 s\n");
  job.say(1, CloseAcknowledged{});
  EXPECT_EQ(job.exit_code(), 0);
  EXPECT_FALSE(job.coordinator.next_deadline());
}

TEST(Coordinator, AnAgentThatStandsStillIsLateForTheEndOnlySoLong) {
  Job job(2, unchecked());
  end_all_well(job, 2);
  job.say(0, CloseAcknowledged{});
  const TimePoint began = job.now;
  job.pass_deadline();
  job.pass_deadline();
  EXPECT_EQ(job.exit_code(), 0);
  EXPECT_EQ(job.now - began, kClosingLimit);
  EXPECT_NE(job.said().find("\nmuster: node2: its agent did not acknowledge the end within 12 s\n"),
            std::string::npos)
      << job.said();
}

TEST(Coordinator, AnAgentThatIsLostBeforeItHeardOfTheEndIsNamed) {
  Job job(3, unchecked());
  end_all_well(job, 3);
  job.say(0, CloseAcknowledged{});
  job.say(1, CloseAcknowledged{});
  AgentLost loss;
  loss.agent = MemberIndex{1};
  job.feed(loss);
  EXPECT_EQ(job.said(), "") << "it had heard";
  loss.agent = MemberIndex{2};
  job.feed(loss);
  EXPECT_EQ(job.exit_code(), 0);
  EXPECT_EQ(job.said(), "muster: node3: its agent was lost before it heard of the end\n");
}

TEST(Coordinator, AnAgentsOwnErrorEndsTheJobAndNamesTheNode) {
  Job job(3, unchecked());
  job.facts[2].error = "train.py: no such file";
  job.facts[2].error_exit_code = 127;
  job.assemble();
  EXPECT_EQ(job.count_sent<StartWorkers>(), 0u);
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), 127);
  EXPECT_NE(job.said().find("node3: train.py: no such file"), std::string::npos) << job.said();
}

TEST(Coordinator, DifferentVersionsAreRefusedByName) {
  Job job(2, unchecked());
  job.facts[1].version = "2";
  job.assemble();
  EXPECT_NE(job.said().find("node2 runs muster 2, node1 runs 1"), std::string::npos) << job.said();
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), to_int(ExitCode::kUsage));
}

TEST(Coordinator, AFailedAssemblyEndsAtOnceWithItsCode) {
  Job job(2, unchecked());
  job.feed(AssemblyFailed{"missing: node2", to_int(ExitCode::kMissingNodes)});
  EXPECT_EQ(job.exit_code(), to_int(ExitCode::kMissingNodes));
  EXPECT_EQ(job.said(), "muster: missing: node2\n");
}

TEST(Coordinator, WordsOfAnEarlierGangAreIgnored) {
  Job job(1, unchecked());
  job.assemble();
  WorkerEnd end;
  end.status = ExitStatus::exited(1);
  job.say(0, WorkerEnded{GangId{99}, end});
  job.say(0, GangFinished{GangId{99}, {}, 0});
  EXPECT_EQ(job.coordinator.phase(), Phase::kRunning);
}

TEST(Coordinator, ExecHandsOverAndClosesWithoutAStop) {
  CoordinatorOptions options = unchecked();
  options.exec_program = true;
  Job job(2, options);
  job.assemble();
  EXPECT_EQ(job.count_sent<BecomeProgram>(), 1u);
  EXPECT_EQ(job.coordinator.phase(), Phase::kClosing);
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), 0);
}

TEST(Coordinator, ADriverThatDidNotAnswerNeverMakesASmallerWorld) {
  CoordinatorOptions options = unchecked();
  Job job(2, options);
  job.facts[1].driver_problem = "the GPU driver did not answer in 10 s";
  job.assemble();  // eight a node were asked for by number: the job goes on
  EXPECT_EQ(job.coordinator.phase(), Phase::kRunning);

  Job counting(2, options);
  counting.facts[1].slots = {plan::SlotSource::kDefault, 0};  // that node was given no number
  counting.facts[1].driver_problem = "the GPU driver did not answer in 10 s";
  counting.assemble();
  EXPECT_EQ(counting.coordinator.phase(), Phase::kClosing);
  EXPECT_NE(counting.said().find("node2: the GPU driver did not answer in 10 s"), std::string::npos)
      << counting.said();
}

}  // namespace
}  // namespace muster::launcher
