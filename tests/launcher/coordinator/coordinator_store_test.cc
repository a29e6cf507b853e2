// The store that rank 0's agent serves: opened before the workers start, and its questions carried.
#include <gtest/gtest.h>

#include "launcher/options/exit_codes.h"
#include "tests/launcher/coordinator/job_fixture.h"

namespace muster::launcher {
namespace {

using process::ExitStatus;

CoordinatorOptions with_store(AdmissionMode admission = AdmissionMode::kUid) {
  CoordinatorOptions options;
  options.check = CheckMode::kOff;
  options.store = StoreMode::kAgent;
  options.admission = admission;
  return options;
}

// Node N (from 1) has the address 10.0.0.N and, told by its agent, 10.1.0.N.
class StoreJob : public Job {
 public:
  explicit StoreJob(std::uint32_t nodes, const CoordinatorOptions& options = with_store())
      : Job(nodes, options) {
    for (std::uint32_t node = 0; node < nodes; ++node) {
      facts[node].addresses = {"10.1.0." + std::to_string(node + 1)};
    }
  }

  void assemble() {
    rendezvous::Roster all = roster();
    for (std::size_t node = 1; node < all.members.size(); ++node) {
      all.members[node].address = "10.0.0." + std::to_string(node + 1);
    }
    feed(Assembled{all});
  }

  void start() {
    assemble();
    say(0, StoreOpened{Attempt{0}, 13007});
    effects.clear();
  }

  // What one agent was sent since the last clear().
  template <class Message>
  std::vector<Message> to(std::uint32_t node) const {
    std::vector<Message> found;
    for (const Effect& effect : effects) {
      const auto* one = std::get_if<SendTo>(&effect);
      if (one == nullptr || one->agent != MemberIndex{node}) continue;
      if (const auto* message = std::get_if<Message>(&one->message)) found.push_back(*message);
    }
    return found;
  }
};

StoreConnection from(const std::string& address, std::uint64_t id) {
  return {id, {address, 40000}, {"10.0.0.1", 13007}};
}

TEST(CoordinatorStore, IsOpenBeforeAnyWorkerStarts) {
  CoordinatorOptions options = with_store(AdmissionMode::kNode);
  StoreJob job(3, options);
  job.assemble();
  EXPECT_EQ(job.coordinator.phase(), Phase::kOpeningStore);
  EXPECT_EQ(job.to<OpenStore>(0), (std::vector<OpenStore>{{Attempt{0}, 0, AdmissionMode::kNode}}));
  EXPECT_EQ(job.count_sent<StartWorkers>(), 0u);
  job.say(0, StoreOpened{Attempt{0}, 13007});
  EXPECT_EQ(job.coordinator.phase(), Phase::kRunning);
  ASSERT_EQ(job.count_sent<StartWorkers>(), 1u);
  const StartWorkers start = *Job::sent<StartWorkers>(job.effects.back());
  EXPECT_EQ(start.master_port, 13007);
  EXPECT_TRUE(start.agent_store);
  EXPECT_EQ(start.master_address, "");  // the coordinator's node
  job.start_all();
  EXPECT_FALSE(job.coordinator.next_deadline());
}

TEST(CoordinatorStore, Rank0sOwnNeedsNoAgent) {
  CoordinatorOptions options = with_store();
  options.store = StoreMode::kRank0;
  options.master_port = 29500;
  StoreJob job(2, options);
  job.assemble();
  EXPECT_EQ(job.coordinator.phase(), Phase::kRunning);
  const StartWorkers start = *Job::sent<StartWorkers>(job.effects.back());
  EXPECT_EQ(start.master_port, 29500);
  EXPECT_FALSE(start.agent_store);
}

TEST(CoordinatorStore, AWordOfAnotherAgentOrAttemptOpensNothing) {
  StoreJob job(2);
  job.assemble();
  job.say(1, StoreOpened{Attempt{0}, 1});
  job.say(0, StoreOpened{Attempt{1}, 2});
  job.say(1, StoreFailed{Attempt{0}, "no"});
  EXPECT_EQ(job.coordinator.phase(), Phase::kOpeningStore);
}

TEST(CoordinatorStore, AStoreThatCannotBeOpenedEndsTheJob) {
  StoreJob job(2);
  job.assemble();
  job.say(0, StoreFailed{Attempt{0}, "no free port"});
  EXPECT_EQ(job.coordinator.phase(), Phase::kClosing);
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), to_int(ExitCode::kInternal));
  EXPECT_EQ(job.said(), "muster: node1: no free port\n");
  EXPECT_EQ(job.count_sent<StartWorkers>(), 0u);
}

TEST(CoordinatorStore, AUsersPortThatIsTakenIsAUsersError) {
  CoordinatorOptions options = with_store();
  options.master_port = 29500;
  StoreJob job(2, options);
  job.assemble();
  EXPECT_EQ(job.to<OpenStore>(0).at(0).port, 29500);
  job.say(0, StoreFailed{Attempt{0}, "--master-port=29500: taken"});
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), to_int(ExitCode::kUsage));
}

TEST(CoordinatorStore, AnAgentThatNeverAnswersEndsTheJobInTime) {
  StoreJob job(2);
  job.assemble();
  job.pass_deadline();
  EXPECT_EQ(job.coordinator.phase(), Phase::kClosing);
  EXPECT_NE(job.said().find("node1: its agent did not open the workers' store within 10 s"),
            std::string::npos);
  EXPECT_EQ(job.now, TimePoint{} + std::chrono::seconds(10));
}

TEST(CoordinatorStore, ACancelOrALossWhileItOpensEndsTheJobOnce) {
  StoreJob cancelled(2);
  cancelled.assemble();
  cancelled.say(1, CancelSeen{SIGTERM, 1});
  EXPECT_EQ(cancelled.coordinator.phase(), Phase::kClosing);
  cancelled.say(0, StoreOpened{Attempt{0}, 13007});  // too late
  cancelled.acknowledge_all();
  EXPECT_EQ(cancelled.exit_code(), 128 + SIGTERM);

  StoreJob lost(2);
  lost.assemble();
  AgentLost loss;
  loss.agent = MemberIndex{1};
  loss.detail = "connection closed";
  lost.feed(loss);
  EXPECT_EQ(lost.count_sent<CloseJob>(), 1u);
  lost.say(0, CloseAcknowledged{});
  EXPECT_EQ(lost.exit_code(), to_int(ExitCode::kLost));
}

TEST(CoordinatorStore, AStoreThatBreaksEndsTheAttempt) {
  StoreJob job(2);
  job.start();
  job.say(0, StoreFailed{Attempt{0}, "the workers' store is broken: accept: EBADF"});
  EXPECT_EQ(job.coordinator.phase(), Phase::kStopping);
  EXPECT_EQ(job.count_sent<StopGang>(), 1u);
  for (std::uint32_t node = 0; node < 2; ++node) {
    job.say(node, GangFinished{GangId{2}, {}, 0});
  }
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), to_int(ExitCode::kLost));
  EXPECT_NE(job.said().find("node1: the workers' store is broken"), std::string::npos);
}

TEST(CoordinatorStore, QuestionsGoToTheNodesTheClientsComeFrom) {
  StoreJob job(3);
  job.start();
  job.say(0, AskOwners{Attempt{0},
                       {from("10.0.0.2", 1), from("10.1.0.3", 2), from("10.1.0.2", 3),
                        from("10.9.9.9", 4)}});
  EXPECT_EQ(job.to<FindOwners>(1),
            (std::vector<FindOwners>{{Attempt{0}, {from("10.0.0.2", 1), from("10.1.0.2", 3)}}}));
  EXPECT_EQ(job.to<FindOwners>(2), (std::vector<FindOwners>{{Attempt{0}, {from("10.1.0.3", 2)}}}));
  EXPECT_EQ(job.to<OwnersTold>(0),
            (std::vector<OwnersTold>{{Attempt{0}, {{4, Finding::kUnknownNode, 0}}}}));
  job.effects.clear();
  job.say(1, OwnersFound{Attempt{0}, {{1, Finding::kOwner, 1000}, {3, Finding::kOwner, 65534}}});
  EXPECT_EQ(job.to<OwnersTold>(0),
            (std::vector<OwnersTold>{
                {Attempt{0}, {{1, Finding::kOwner, 1000}, {3, Finding::kOwner, 65534}}}}));
}

TEST(CoordinatorStore, OnlyTheStoresAgentMayAsk) {
  StoreJob job(3);
  job.start();
  job.say(1, AskOwners{Attempt{0}, {from("10.0.0.3", 1)}});
  job.say(0, AskOwners{Attempt{1}, {from("10.0.0.3", 1)}});
  EXPECT_TRUE(job.effects.empty());
}

TEST(CoordinatorStore, ALostAgentIsNotAsked) {
  StoreJob job(3);
  job.start();
  AgentLost loss;
  loss.agent = MemberIndex{2};
  job.feed(loss);
  job.effects.clear();
  job.say(0, AskOwners{Attempt{0}, {from("10.0.0.3", 1)}});
  EXPECT_EQ(job.to<OwnersTold>(0),
            (std::vector<OwnersTold>{{Attempt{0}, {{1, Finding::kNotTold, 0}}}}));
  EXPECT_TRUE(job.to<FindOwners>(2).empty());
}

TEST(CoordinatorStore, ByNodeNobodyIsAskedForAnOwner) {
  StoreJob job(3, with_store(AdmissionMode::kNode));
  job.start();
  job.say(0, AskOwners{Attempt{0}, {from("10.0.0.2", 1)}});
  EXPECT_EQ(job.to<OwnersTold>(0),
            (std::vector<OwnersTold>{{Attempt{0}, {{1, Finding::kNodeOfJob, 0}}}}));
  EXPECT_TRUE(job.to<FindOwners>(1).empty());
}

TEST(CoordinatorStore, WorkersMeetAtRank0sNodeWhereverTheCoordinatorIs) {
  StoreJob job(3);
  rendezvous::Roster all = job.roster();
  all.members[0].address = "10.0.0.1";
  all.members[1].address = "";  // the coordinator is here
  all.members[2].address = "10.0.0.3";
  job.feed(Assembled{all});
  job.say(0, StoreOpened{Attempt{0}, 13007});
  EXPECT_EQ(Job::sent<StartWorkers>(job.effects.back())->master_address, "10.0.0.1");
}

}  // namespace
}  // namespace muster::launcher
