// Restarts: who starts anew, on which nodes, and when nobody does.
#include <gtest/gtest.h>

#include "launcher/coordinator/coordinator.h"
#include "launcher/options/exit_codes.h"
#include "tests/launcher/coordinator/job_fixture.h"

namespace muster::launcher {
namespace {

using process::ExitStatus;

CoordinatorOptions with_restarts(std::uint32_t restarts) {
  CoordinatorOptions options;
  options.check = CheckMode::kOff;
  options.max_restarts = restarts;
  return options;
}

CoordinatorOptions with_spares(std::uint32_t restarts, std::uint32_t nodes) {
  CoordinatorOptions options = with_restarts(restarts);
  options.world_nodes = nodes;
  return options;
}

class RestartedJob : public Job {
 public:
  using Job::Job;

  bool says(std::string_view text) const { return said().find(text) != std::string::npos; }
  const StartWorkers& last_start() const {
    const StartWorkers* last = nullptr;
    for (const Effect& effect : effects) {
      if (const auto* start = sent<StartWorkers>(effect)) last = start;
    }
    return *last;
  }
  // A worker of that node fails, and all gangs end.
  void fail(std::uint32_t node) {
    end_worker(node, 0, ExitStatus::exited(3));
    finish_all();
  }
  void lose(std::uint32_t node, std::string detail = "connection closed by peer") {
    AgentLost loss;
    loss.agent = MemberIndex{node};
    loss.detail = std::move(detail);
    feed(loss);
  }
};

TEST(Restart, AFailureStartsAllWorkersAnewInTheNextAttempt) {
  RestartedJob job(4, with_restarts(2));
  job.assemble();
  const GangId first = job.gang();
  job.fail(1);
  EXPECT_EQ(job.coordinator.phase(), Phase::kRunning);
  EXPECT_EQ(job.last_start().attempt, Attempt{1});
  EXPECT_NE(job.gang(), first);
  EXPECT_TRUE(job.says("rank 8 (node2, local rank 0) failed first: exit code 3")) << job.said();
  EXPECT_TRUE(job.says("\nmuster: restart 1 of 2: all 32 workers start anew\n")) << job.said();
  EXPECT_EQ(job.count_sent<CloseJob>(), 0u);
  job.finish_all();
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), 0) << "what the attempt before left does not count";
}

TEST(Restart, EveryAttemptHasAStoreOfItsOwn) {
  CoordinatorOptions options = with_restarts(1);
  options.store = StoreMode::kAgent;
  RestartedJob job(2, options);
  job.assemble();
  job.say(0, StoreOpened{Attempt{0}, 13000});
  job.fail(1);
  EXPECT_EQ(job.coordinator.phase(), Phase::kOpeningStore);
  EXPECT_EQ(job.count_sent<CloseStore>(), 1u);
  job.say(0, StoreOpened{Attempt{0}, 13000});
  EXPECT_EQ(job.coordinator.phase(), Phase::kOpeningStore) << "of the attempt before";
  job.say(0, StoreOpened{Attempt{1}, 14000});
  EXPECT_EQ(job.last_start().master_port, 14000);
}

TEST(Restart, ABrokenStoreIsReplaced) {
  CoordinatorOptions options = with_restarts(1);
  options.store = StoreMode::kAgent;
  RestartedJob job(2, options);
  job.assemble();
  job.say(0, StoreOpened{Attempt{0}, 13000});
  job.say(0, StoreFailed{Attempt{0}, "the workers' store is broken: x"});
  job.finish_all();
  EXPECT_EQ(job.coordinator.phase(), Phase::kOpeningStore);
}

TEST(Restart, TheLastFailureEndsTheJobWithItsCode) {
  RestartedJob job(2, with_restarts(2));
  job.assemble();
  for (int attempt = 0; attempt < 3; ++attempt) job.fail(0);
  EXPECT_EQ(job.coordinator.phase(), Phase::kClosing);
  EXPECT_TRUE(job.says("muster: not restarted: all 2 restarts are used (--max-restarts)\n"))
      << job.said();
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), 3);
}

TEST(Restart, WithoutTheFlagNothingIsSaidOfIt) {
  RestartedJob job(2, with_restarts(0));
  job.assemble();
  job.fail(0);
  EXPECT_EQ(job.coordinator.phase(), Phase::kClosing);
  EXPECT_FALSE(job.says("restart")) << job.said();
}

TEST(Restart, AProgramThatCannotBeStartedIsNotTriedAgain) {
  RestartedJob job(2, with_restarts(2));
  job.assemble();
  WorkerEnd end;
  end.place = {Rank{0}, LocalRank{0}, NodeIndex{0}, "node1"};
  end.start_failure = verdict::StartFailure{"exec /x: No such file or directory", 127};
  job.say(0, WorkerEnded{job.gang(), end});
  job.finish_all();
  EXPECT_EQ(job.coordinator.phase(), Phase::kClosing);
  EXPECT_TRUE(job.says("muster: not restarted: a program that cannot be started")) << job.said();
}

TEST(Restart, ACancelEndsTheJobEvenAfterAFailure) {
  RestartedJob job(2, with_restarts(2));
  job.assemble();
  job.end_worker(0, 0, ExitStatus::exited(3));
  job.say(1, CancelSeen{SIGTERM, 0});
  job.finish_all();
  EXPECT_EQ(job.coordinator.phase(), Phase::kClosing);
}

TEST(Restart, ASpareTakesThePlaceOfALostNode) {
  RestartedJob job(4, with_spares(1, 3));
  job.assemble();
  EXPECT_EQ(job.last_start().left_out, (std::vector<NodeIndex>{NodeIndex{3}}));
  job.lose(1);
  job.finish_all();
  EXPECT_EQ(job.coordinator.phase(), Phase::kRunning);
  EXPECT_EQ(job.last_start().left_out, (std::vector<NodeIndex>{NodeIndex{1}}));
  EXPECT_TRUE(job.says("muster: world: node[1,3-4]; out: node2\n")) << job.said();
}

TEST(Restart, WithoutASpareALostNodeEndsTheJobAndSaysWhy) {
  RestartedJob job(3, with_restarts(5));
  job.assemble();
  job.lose(1);
  job.finish_all();
  EXPECT_EQ(job.coordinator.phase(), Phase::kClosing);
  EXPECT_TRUE(
      job.says("muster: not restarted: node2 (lost: connection closed by peer) is needed, "
               "and no spare is left (--spares)\n"))
      << job.said();
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), to_int(ExitCode::kLost));
}

TEST(Restart, ASpareThatWasLostMeanwhileStandsInForNobody) {
  RestartedJob job(4, with_spares(1, 3));
  job.assemble();
  job.lose(3);
  EXPECT_EQ(job.coordinator.phase(), Phase::kRunning);
  job.lose(0);
  job.finish_all();
  EXPECT_EQ(job.coordinator.phase(), Phase::kClosing);
}

// It searches for what escaped, and carries the workers' lines to a console that takes none.
TEST(Restart, ANodeThatTidiesUpAfterItsWorkersIsWaitedFor) {
  RestartedJob job(3, with_spares(1, 2));
  job.assemble();
  const TimePoint began = job.now;
  job.end_worker(0, 0, ExitStatus::exited(3));
  job.say(0, GangFinished{job.gang(), {}, 0});
  for (std::uint32_t local = 0; local < 8; ++local)
    job.end_worker(1, local, ExitStatus::killed(SIGKILL), true);
  job.pass_deadline();
  EXPECT_EQ(job.coordinator.phase(), Phase::kStopping);
  job.say(1, GangFinished{job.gang(), {}, 8});
  EXPECT_EQ(job.coordinator.phase(), Phase::kRunning);
  EXPECT_EQ(job.last_start().left_out, (std::vector<NodeIndex>{NodeIndex{2}}))
      << "no spare is used";
  EXPECT_LT(job.now, began + CoordinatorOptions{}.stop_grace + kTidyPatience);
}

TEST(Restart, ANodeThatNeverTidiesUpIsLeftOut) {
  RestartedJob job(3, with_spares(1, 2));
  job.assemble();
  job.end_worker(0, 0, ExitStatus::exited(3));
  job.say(0, GangFinished{job.gang(), {}, 0});
  for (std::uint32_t local = 0; local < 8; ++local)
    job.end_worker(1, local, ExitStatus::killed(SIGKILL), true);
  job.pass_deadline();
  job.pass_deadline();
  EXPECT_TRUE(
      job.says("\nmuster: node2: its agent did not tell the end of its workers within 35 s\n"))
      << job.said();
  EXPECT_EQ(job.last_start().left_out, (std::vector<NodeIndex>{NodeIndex{1}}));
}

TEST(Restart, ANodeWhoseAgentTellsNoEndIsLeftOut) {
  RestartedJob job(3, with_spares(1, 2));
  job.assemble();
  job.end_worker(0, 0, ExitStatus::exited(3));
  for (const std::uint32_t node : {0u, 2u}) job.say(node, GangFinished{job.gang(), {}, 0});
  job.pass_deadline();
  EXPECT_EQ(job.coordinator.phase(), Phase::kRunning);
  EXPECT_EQ(job.last_start().left_out, (std::vector<NodeIndex>{NodeIndex{1}}));
}

TEST(Restart, ANodeThatTellsOfStuckProcessesIsLeftOut) {
  RestartedJob job(3, with_spares(1, 2));
  job.assemble();
  job.end_worker(0, 0, ExitStatus::exited(3));
  job.say(0, GangFinished{job.gang(), {}, 0, 1});
  job.say(1, GangFinished{job.gang(), {}, 0, 0});
  EXPECT_EQ(job.last_start().left_out, (std::vector<NodeIndex>{NodeIndex{0}}));
}

TEST(Restart, AnAgentThatStartsNothingIsReplaced) {
  RestartedJob job(3, with_spares(1, 2));
  job.assemble();
  job.say(0, WorkersStarted{job.gang()});
  job.pass_deadline();
  job.say(0, GangFinished{job.gang(), {}, 0});
  EXPECT_EQ(job.coordinator.phase(), Phase::kRunning);
  EXPECT_EQ(job.last_start().left_out, (std::vector<NodeIndex>{NodeIndex{1}}));
}

TEST(Restart, AnAgentThatCannotOpenTheNextStoreIsReplaced) {
  CoordinatorOptions options = with_spares(1, 2);
  options.store = StoreMode::kAgent;
  RestartedJob job(3, options);
  job.assemble();
  job.say(0, StoreOpened{Attempt{0}, 13000});
  job.fail(1);
  job.say(0, StoreFailed{Attempt{1}, "no port is free"});
  EXPECT_EQ(job.coordinator.phase(), Phase::kOpeningStore) << job.said();
  EXPECT_TRUE(job.says("muster: node1: no port is free; the job goes on without it\n"))
      << job.said();
  job.say(1, StoreOpened{Attempt{1}, 14000});
  EXPECT_EQ(job.last_start().left_out, (std::vector<NodeIndex>{NodeIndex{0}}));
  EXPECT_EQ(job.last_start().master_port, 14000);
}

TEST(Restart, AnAgentThatDoesNotOpenTheStoreInTimeIsReplacedOrNamed) {
  CoordinatorOptions options = with_spares(1, 2);
  options.store = StoreMode::kAgent;
  RestartedJob job(3, options);
  job.assemble();
  job.pass_deadline();
  EXPECT_EQ(job.coordinator.phase(), Phase::kOpeningStore) << job.said();
  EXPECT_EQ(job.count_sent<CloseStore>(), 1u) << "it may open it yet";
  job.pass_deadline();
  EXPECT_EQ(job.coordinator.phase(), Phase::kClosing);
  EXPECT_TRUE(job.says("node2: its agent did not open the workers' store")) << job.said();
}

TEST(Restart, ALossBesideABrokenStoreIsToldToo) {
  CoordinatorOptions options = with_spares(1, 2);
  options.store = StoreMode::kAgent;
  RestartedJob job(3, options);
  job.assemble();
  job.say(0, StoreOpened{Attempt{0}, 13000});
  job.say(0, StoreFailed{Attempt{0}, "the workers' store is broken: x"});
  job.lose(1);
  job.finish_all();
  EXPECT_TRUE(job.says("muster: node2 is left out: lost: connection closed by peer\n"))
      << job.said();
}

TEST(Restart, WordsOfTheAttemptBeforeAreIgnored) {
  RestartedJob job(2, with_restarts(1));
  job.assemble();
  const GangId before = job.gang();
  job.fail(0);
  WorkerEnd late;
  late.place = {Rank{1}, LocalRank{1}, NodeIndex{0}, "node1"};
  late.status = ExitStatus::exited(9);
  job.say(0, WorkerEnded{before, late});
  job.say(0, GangFinished{before, {}, 0});
  EXPECT_EQ(job.coordinator.phase(), Phase::kRunning);
}

}  // namespace
}  // namespace muster::launcher
