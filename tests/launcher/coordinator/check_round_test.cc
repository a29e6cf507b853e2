#include "launcher/coordinator/check_round.h"

#include <gtest/gtest.h>

#include <csignal>

#include "tests/launcher/coordinator/check_fixture.h"

namespace muster::launcher {
namespace {

using bench::localise::Group;
using bench::localise::Member;
using bench::localise::OutcomeKind;
using bench::localise::Round;
using bench::localise::RoundKind;

constexpr Duration kRoundDeadline = std::chrono::seconds(60);

// Nodes of one agent each, or of one agent a process.
std::vector<CheckNode> nodes_of(std::uint32_t count, std::uint32_t processes, bool agent_each) {
  std::vector<CheckNode> nodes;
  for (std::uint32_t place = 0; place < count; ++place) {
    CheckNode node{"node" + std::to_string(place + 1), NodeIndex{place}, place * processes, {}};
    for (std::uint32_t local = 0; local < processes; ++local) {
      node.agents.push_back(MemberIndex{agent_each ? place * processes + local : place});
    }
    nodes.push_back(std::move(node));
  }
  return nodes;
}

Round pairs_of(const std::vector<std::pair<std::uint32_t, std::uint32_t>>& pairs,
               std::uint32_t local_ranks = 1) {
  Round round;
  round.kind = RoundKind::kPairs;
  round.deadline = kRoundDeadline;
  const auto whole = [local_ranks](std::uint32_t node) {
    Member member{NodeIndex{node}, {}};
    for (std::uint32_t i = 0; i < local_ranks; ++i) member.local_ranks.push_back(LocalRank{i});
    return member;
  };
  for (const auto& [a, b] : pairs) round.groups.push_back({{whole(a), whole(b)}});
  return round;
}

TEST(CheckRound, ANodeLostBeforeTheOrdersHurriesItsGroup) {
  TimePoint now{};
  CheckRound round(GangId{7}, pairs_of({{0, 1}, {2, 3}}), nodes_of(4, 1, false), 1);
  round.lose(MemberIndex{1}, now);
  EXPECT_FALSE(round.next_deadline());
  (void)round.orders({100, 200}, now);
  EXPECT_EQ(round.next_deadline(), now + std::chrono::seconds(3)) << "for its peer to report";
}

struct TwoPairs {
  TwoPairs() : round(GangId{7}, pairs_of({{0, 1}, {2, 3}}), nodes_of(4, 1, false), 1) {
    (void)round.orders({100, 200}, now);
  }
  void report(std::uint32_t node, std::uint32_t rank) {
    round.note_finished(MemberIndex{node}, {print_report(fabric_report(rank, 2, 2.0))}, now);
  }
  void end(std::uint32_t round_rank, int signal) {
    verdict::WorkerEnd end;
    end.place.rank = Rank{round_rank};
    end.status = process::ExitStatus::killed(signal);
    end.stop_sent = verdict::WallTime{};
    round.note_process(end, now);
  }
  CheckRound round;
  TimePoint now{};
};

TEST(CheckRound, TellsEachAgentItsGroups) {
  CheckRound round(GangId{7}, pairs_of({{0, 1}, {2, 3}}, 2), nodes_of(4, 2, false), 2);
  ASSERT_EQ(round.groups().size(), 2u);
  EXPECT_EQ(round.groups()[1][2].host, "node4");
  EXPECT_EQ(round.groups()[1][3].task, LocalTask{1});
  const auto orders = round.orders({100, 200}, TimePoint{});
  ASSERT_EQ(orders.size(), 4u);
  ASSERT_EQ(orders.at(MemberIndex{3}).size(), 1u);
  const CheckGroup& second = orders.at(MemberIndex{3}).front();
  EXPECT_EQ(second.number, 1u);
  EXPECT_EQ(second.port, 200);
  EXPECT_EQ(second.first_round_rank, 4u);
  EXPECT_EQ(second.members, (std::vector<ProcessRange>{{4, 4}}));
}

TEST(CheckRound, RailsPutOneAgentIntoSeveralGroups) {
  Round round = pairs_of({});
  round.kind = RoundKind::kRails;
  for (std::uint32_t rail = 0; rail < 2; ++rail) {
    round.groups.push_back(
        {{{NodeIndex{0}, {LocalRank{rail}}}, {NodeIndex{1}, {LocalRank{rail}}}}});
  }
  CheckRound rails(GangId{1}, round, nodes_of(2, 2, false), 2);
  const auto orders = rails.orders({1, 2}, TimePoint{});
  const auto& first = orders.at(MemberIndex{0});
  ASSERT_EQ(first.size(), 2u);
  EXPECT_EQ(first[1].members, (std::vector<ProcessRange>{{1, 1}, {3, 1}}));
}

TEST(CheckRound, AWholeNodeMeansAllItsProcessesWhereItHasMore) {
  std::vector<CheckNode> nodes = nodes_of(2, 2, false);
  nodes[1].agents.push_back(nodes[1].agents.front());
  const CheckRound round(GangId{1}, pairs_of({{0, 1}}, 2), nodes, 2);
  EXPECT_EQ(round.groups().front().size(), 5u);
}

TEST(CheckRound, IsOverWhenAllReportedAndSaysWhatWasMeasured) {
  TwoPairs pairs;
  for (std::uint32_t node = 0; node < 4; ++node) {
    EXPECT_FALSE(pairs.round.is_over());
    pairs.report(node, node % 2);
  }
  EXPECT_TRUE(pairs.round.is_over());
  const auto outcomes = pairs.round.outcomes();
  ASSERT_EQ(outcomes.size(), 2u);
  EXPECT_EQ(outcomes[1].kind, OutcomeKind::kMeasured);
  EXPECT_NEAR(outcomes[1].measured.p50_busbw, 2.0, 1e-6);
}

// NCCL tells it to the first rank of a communicator alone.
TEST(CheckRound, TheAlgorithmOfAGroupIsWhatAnyOfItsRanksTells) {
  TwoPairs pairs;
  for (std::uint32_t node = 0; node < 4; ++node) {
    bench::RankReport report = fabric_report(node % 2, 2, 2.0);
    if (node == 2) report.algorithm = "NVLSTree";
    pairs.round.note_finished(MemberIndex{node}, {print_report(report)}, pairs.now);
  }
  const auto outcomes = pairs.round.outcomes();
  EXPECT_EQ(outcomes[0].measured.algorithm, "");
  EXPECT_EQ(outcomes[1].measured.algorithm, "NVLSTree");
}

TEST(CheckRound, AGroupIsAwaitedUntilItsDeadlineAndItsMarginThenStopped) {
  CheckRound round(GangId{7}, pairs_of({{0, 1}}), nodes_of(2, 1, false), 1);
  EXPECT_FALSE(round.next_deadline());
  (void)round.orders({100}, TimePoint{});
  ASSERT_TRUE(round.next_deadline());
  EXPECT_EQ(*round.next_deadline(), TimePoint{} + kRoundDeadline + std::chrono::seconds(5));
  EXPECT_EQ(round.pass_deadline(*round.next_deadline()).size(), 2u);
  EXPECT_TRUE(round.pass_deadline(*round.next_deadline() - std::chrono::seconds(1)).empty())
      << "told once";
}

TEST(CheckRound, WhoHadToBeKilledIsTheSilentOne) {
  TwoPairs pairs;
  pairs.report(0, 0);
  pairs.report(1, 1);
  pairs.now = *pairs.round.next_deadline();
  EXPECT_EQ(pairs.round.pass_deadline(pairs.now).size(), 2u);
  pairs.end(2, SIGTERM);
  pairs.end(3, SIGKILL);
  pairs.round.note_finished(MemberIndex{2}, {""}, pairs.now);
  pairs.round.note_finished(MemberIndex{3}, {""}, pairs.now);
  const auto outcomes = pairs.round.outcomes();
  EXPECT_EQ(outcomes[0].kind, OutcomeKind::kMeasured);
  EXPECT_EQ(outcomes[1].kind, OutcomeKind::kHung);
  EXPECT_EQ(outcomes[1].silent, std::vector<NodeIndex>{NodeIndex{3}});
}

TEST(CheckRound, GroupsThatAreMuchSlowerThanMostAreNotAwaitedToTheEnd) {
  TwoPairs pairs;
  pairs.now += std::chrono::seconds(2);
  pairs.report(0, 0);
  pairs.report(1, 1);
  EXPECT_EQ(*pairs.round.next_deadline(), TimePoint{} + std::chrono::seconds(5 * 2 + 5));
}

TEST(CheckRound, AFailedProcessGivesItsPeersAMomentAndTouchesNoOtherGroup) {
  TwoPairs pairs;
  verdict::WorkerEnd end;
  end.place.rank = Rank{0};
  end.status = process::ExitStatus::exited(1);
  pairs.round.note_process(end, pairs.now);
  EXPECT_EQ(*pairs.round.next_deadline(), pairs.now + std::chrono::seconds(3));
  pairs.now = *pairs.round.next_deadline();
  const auto stopped = pairs.round.pass_deadline(pairs.now);
  EXPECT_EQ(stopped, (std::vector<MemberIndex>{MemberIndex{0}, MemberIndex{1}}));
}

TEST(CheckRound, AnAgentThatDoesNotEndItsGangIsMuteAndNotAwaited) {
  TwoPairs pairs;
  for (const std::uint32_t node : {0u, 1u, 2u}) pairs.report(node, node % 2);
  pairs.now = *pairs.round.next_deadline();
  (void)pairs.round.pass_deadline(pairs.now);
  EXPECT_TRUE(pairs.round.mute().empty());
  pairs.now = *pairs.round.next_deadline();
  (void)pairs.round.pass_deadline(pairs.now);
  EXPECT_TRUE(pairs.round.is_over());
  EXPECT_EQ(pairs.round.mute(), std::vector<MemberIndex>{MemberIndex{3}});
}

TEST(CheckRound, ALostAgentIsTheSilentOne) {
  TwoPairs pairs;
  pairs.round.lose(MemberIndex{3}, pairs.now);
  for (const std::uint32_t node : {0u, 1u}) pairs.report(node, node);
  pairs.round.note_finished(MemberIndex{2}, {""}, pairs.now);
  ASSERT_TRUE(pairs.round.is_over());
  const auto outcomes = pairs.round.outcomes();
  EXPECT_EQ(outcomes[1].kind, OutcomeKind::kFailed) << "node3 never said why it ended";
}

TEST(CheckRound, ReportsOfForeignersAreIgnored) {
  TwoPairs pairs;
  pairs.round.note_finished(MemberIndex{9}, {"{}"}, pairs.now);
  verdict::WorkerEnd end;
  end.place.rank = Rank{4000};
  pairs.round.note_process(end, pairs.now);
  EXPECT_FALSE(pairs.round.is_over());
}

TEST(CheckMessages, NumbersThatFollowEachOtherAreOneRange) {
  EXPECT_EQ(fold_ranges({0, 1, 2, 8, 9, 4}), (std::vector<ProcessRange>{{0, 3}, {8, 2}, {4, 1}}));
  EXPECT_TRUE(fold_ranges({}).empty());
}

}  // namespace
}  // namespace muster::launcher
