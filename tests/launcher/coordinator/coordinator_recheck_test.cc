// The check before a restart: when it runs, over whom, and what its verdict does.
#include <gtest/gtest.h>

#include "launcher/options/exit_codes.h"
#include "tests/launcher/coordinator/check_fixture.h"

namespace muster::launcher {
namespace {

using process::ExitStatus;

class RecheckedJob : public CheckedJob {
 public:
  RecheckedJob(std::uint32_t nodes, std::uint32_t wanted)
      : CheckedJob(nodes, options(wanted)), nodes_(nodes) {
    speed.assign(nodes, 2.0);
  }

  // Assembled, checked, its workers run.
  void start() {
    assemble();
    run_rounds();
    ASSERT_EQ(coordinator.phase(), Phase::kRunning) << said();
  }

  // A worker of that node fails with these words, and all gangs end.
  void fail(std::uint32_t node, const std::string& words) {
    WorkerEnd end;
    end.place = {Rank{rank_on(node)}, LocalRank{0}, NodeIndex{node},
                 "node" + std::to_string(node + 1)};
    end.status = ExitStatus::exited(1);
    end.when = wall += std::chrono::seconds(1);
    end.stderr_tail = {"Traceback (most recent call last):", "  File \"t.py\", line 1, in <module>",
                       words};
    say(node, WorkerEnded{gang(), end});
    finish_all();
  }

  void look_again() {
    ASSERT_EQ(coordinator.phase(), Phase::kLooking) << said();
    ++look_;
    for (std::uint32_t node = 0; node < nodes_; ++node) say(node, healthy_look(LookId{look_}));
  }

  void check_again() {
    look_again();
    run_rounds();
  }

  bool says(std::string_view text) const { return said().find(text) != std::string::npos; }

  std::vector<NodeIndex> last_left_out() const {
    std::vector<NodeIndex> out;
    for (const Effect& effect : effects) {
      if (const auto* start = sent<StartWorkers>(effect)) out = start->left_out;
    }
    return out;
  }

 private:
  static CoordinatorOptions options(std::uint32_t wanted) {
    CoordinatorOptions options = with_minimum(1.0);
    options.max_restarts = 2;
    options.world_nodes = wanted;
    return options;
  }

  // Of the node's first worker, among the nodes that are not left out.
  std::uint32_t rank_on(std::uint32_t node) const {
    std::uint32_t before = 0;
    for (const NodeIndex out : last_left_out()) before += value_of(out) < node ? 1 : 0;
    return (node - before) * 8;
  }

  std::uint32_t nodes_;
  std::uint32_t look_ = 1;
};

constexpr const char* kNetworkWords =
    "torch.distributed.DistBackendError: NCCL error in: x.cpp:1, unhandled system error";

TEST(Recheck, AnExceptionOfTheProgramRepeatsNothing) {
  RecheckedJob job(4, 4);
  job.start();
  const std::uint32_t rounds = job.rounds;
  job.fail(1, "ValueError: boom");
  EXPECT_EQ(job.coordinator.phase(), Phase::kRunning);
  EXPECT_EQ(job.rounds, rounds);
}

TEST(Recheck, WordsOfTheNetworkHaveTheMachineMeasuredBeforeTheRestart) {
  RecheckedJob job(4, 4);
  job.start();
  job.fail(1, kNetworkWords);
  EXPECT_TRUE(
      job.says("muster: check: again before restart 1 of 2, since the failure points to "
               "the network\n"))
      << job.said();
  job.check_again();
  EXPECT_EQ(job.coordinator.phase(), Phase::kRunning) << job.said();
  EXPECT_TRUE(job.says("muster: restart 1 of 2: all 32 workers start anew\n")) << job.said();
  EXPECT_EQ(job.count_sent<StartWorkers>(), 2u);
}

TEST(Recheck, ANodeThatBecameSlowIsLeftOutWhereASpareIsThere) {
  RecheckedJob job(5, 4);
  job.start();
  job.speed[2] = 0.4;
  job.fail(1, kNetworkWords);
  job.check_again();
  EXPECT_EQ(job.coordinator.phase(), Phase::kRunning) << job.said();
  EXPECT_EQ(job.last_left_out(), (std::vector<NodeIndex>{NodeIndex{2}})) << job.said();
  EXPECT_TRUE(job.says("muster: world: node[1-2,4-5]; out: node3\n")) << job.said();
  EXPECT_TRUE(job.says("scontrol update nodename=node3")) << job.said();
}

TEST(Recheck, WithoutASpareAnUnfitMachineEndsTheJob) {
  RecheckedJob job(4, 4);
  job.start();
  job.speed[2] = 0.4;
  job.fail(1, kNetworkWords);
  job.check_again();
  EXPECT_TRUE(job.says("muster: the check found the machine unfit; not restarted\n")) << job.said();
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), to_int(ExitCode::kUnfit));
  EXPECT_EQ(job.count_sent<StartWorkers>(), 1u);
}

TEST(Recheck, ANodeThatIsOutIsNeitherLookedAtNorMeasured) {
  RecheckedJob job(5, 3);
  job.start();
  AgentLost loss;
  loss.agent = MemberIndex{0};
  loss.detail = "connection closed by peer";
  job.feed(loss);
  job.finish_all();
  ASSERT_EQ(job.coordinator.phase(), Phase::kRunning) << job.said();
  const std::size_t looks = job.count_sent<LookAtNode>();
  job.fail(1, kNetworkWords);
  EXPECT_EQ(job.count_sent<LookAtNode>() - looks, 4u);
  job.look_again();
  const auto groups = job.last_groups();
  ASSERT_EQ(groups.size(), 1u);
  EXPECT_EQ(groups.front(), (std::vector<std::uint32_t>{1, 2, 3, 4}));
}

TEST(Recheck, ANodeThatTheFirstCheckLeftOutStaysOutAndIsTold) {
  RecheckedJob job(5, 4);
  job.speed[2] = 0.4;
  job.start();
  EXPECT_EQ(job.last_left_out(), (std::vector<NodeIndex>{NodeIndex{2}}));
  job.fail(1, kNetworkWords);
  job.check_again();
  EXPECT_EQ(job.coordinator.phase(), Phase::kRunning) << job.said();
  EXPECT_EQ(job.last_left_out(), (std::vector<NodeIndex>{NodeIndex{2}})) << "out stays out";
  const KeepUnfit* last = nullptr;
  for (const Effect& effect : job.effects) {
    if (const auto* kept = std::get_if<KeepUnfit>(&effect)) last = kept;
  }
  ASSERT_NE(last, nullptr);
  EXPECT_EQ(last->unfit.size(), 1u);
}

TEST(Recheck, ACancelDuringItEndsTheJob) {
  RecheckedJob job(4, 4);
  job.start();
  job.fail(1, kNetworkWords);
  job.say(0, CancelSeen{SIGTERM, 0});
  EXPECT_EQ(job.coordinator.phase(), Phase::kClosing) << job.said();
  job.acknowledge_all();
  EXPECT_EQ(job.exit_code(), 128 + SIGTERM);
}

TEST(Recheck, ANodeLostDuringItIsReplacedByASpare) {
  RecheckedJob job(5, 4);
  job.start();
  job.fail(1, kNetworkWords);
  AgentLost loss;
  loss.agent = MemberIndex{3};
  loss.detail = "silent for 10 s";
  job.feed(loss);
  job.check_again();
  EXPECT_EQ(job.coordinator.phase(), Phase::kRunning) << job.said();
  EXPECT_EQ(job.last_left_out(), (std::vector<NodeIndex>{NodeIndex{3}}));
}

TEST(Recheck, WhereNothingIsCheckedNothingIsCheckedAgain) {
  CoordinatorOptions options;
  options.check = CheckMode::kOff;
  options.max_restarts = 1;
  Job job(2, options);
  job.assemble();
  WorkerEnd end;
  end.place = {Rank{0}, LocalRank{0}, NodeIndex{0}, "node1"};
  end.status = ExitStatus::exited(1);
  end.stderr_tail = {"Traceback (most recent call last):", "  File \"t.py\", line 1, in <module>",
                     kNetworkWords};
  job.say(0, WorkerEnded{job.gang(), end});
  job.finish_all();
  EXPECT_EQ(job.coordinator.phase(), Phase::kRunning);
}

}  // namespace
}  // namespace muster::launcher
