#include "collectives-bench/localise/verdict.h"

#include <gtest/gtest.h>

#include "tests/collectives-bench/localise/rounds_by_hand.h"
#include "tests/collectives-bench/localise/trial.h"

namespace muster::bench::localise {
namespace {

// Without noise: every sample is what the faults leave.
Verdict verdict_of(std::uint32_t nodes, std::uint32_t local_ranks, const Faults& faults,
                   Settings settings) {
  SyntheticCluster cluster(nodes, local_ranks, {0, 0, 0, 1}, faults, 1);
  return localise(cluster, settings);
}

Settings recorded() {
  return trial_settings({});
}

TEST(LocaliseVerdict, ASlowNodeReadsWithItsNumbers) {
  Faults faults;
  faults.slow_nodes[3] = 0.47;
  const Verdict verdict = verdict_of(8, 1, faults, recorded());
  EXPECT_EQ(verdict.line,
            "verdict: stop: node003: 21.1 GB/s with 3 good partners that reach 45.0 GB/s among "
            "themselves (47 %) (confidence 99.9 %); all_reduce on 8 nodes: 21.1 GB/s, below "
            "recorded 45.0 GB/s less 4 %");
}

TEST(LocaliseVerdict, AHealthyClusterReadsWithItsNumbers) {
  EXPECT_EQ(verdict_of(8, 1, {}, recorded()).line,
            "verdict: go: all_reduce on 8 nodes: 45.0 GB/s, recorded 45.0 GB/s less 4 %");
  EXPECT_EQ(verdict_of(2, 1, {}, {}).line,
            "verdict: go: all_reduce on 2 nodes: 45.0 GB/s, nothing to compare with");
}

TEST(LocaliseVerdict, SeveralNodesAreListed) {
  Faults faults;
  faults.slow_nodes[1] = 0.5;
  faults.slow_nodes[6] = 0.7;
  const Verdict verdict = verdict_of(8, 1, faults, recorded());
  EXPECT_NE(verdict.line.find("2 nodes are unfit: node001, node006"), std::string::npos)
      << verdict.line;
  ASSERT_GE(verdict.evidence.size(), 3u);
  EXPECT_NE(verdict.evidence[0].find("node001: 22.5 GB/s"), std::string::npos);
}

TEST(LocaliseVerdict, ABadRailIsSaidOfItsNode) {
  Faults faults;
  faults.slow_rails[{2, 5}] = 0.6;
  const Verdict verdict = verdict_of(4, 8, faults, recorded());
  EXPECT_NE(verdict.line.find("local rank 5 and its NICs"), std::string::npos) << verdict.line;
}

TEST(LocaliseVerdict, AnAlgorithmChangeIsSaidFirst) {
  Settings settings = recorded();
  settings.world_expected.algorithm = "NVLSTREE";
  Localiser localiser = Localiser::create({{"a", "b", "c"}, 1, {}}, settings).value();
  localiser.begin();
  Next next = localiser.step({measured(35, "RING")});
  while (const Round* round = std::get_if<Round>(&next)) {
    std::vector<GroupOutcome> outcomes(round->groups.size(), measured(35, "RING"));
    next = localiser.step(outcomes);
  }
  const Verdict& verdict = std::get<Verdict>(next);
  EXPECT_TRUE(verdict.unfit.empty());
  EXPECT_EQ(verdict.evidence.front(),
            "all_reduce over all nodes ran RING, what is expected was taken with NVLSTREE: the "
            "algorithm changed, which alone can change the speed");
}

TEST(LocaliseVerdict, ANodeWithAnotherAlgorithmIsOddAndNotSlow) {
  Localiser localiser =
      Localiser::create({{"a", "b", "c", "d", "e", "f"}, 1, {}}, recorded()).value();
  localiser.begin();
  Next next = localiser.step({measured(30, "RING")});
  while (const Round* round = std::get_if<Round>(&next)) {
    std::vector<GroupOutcome> outcomes;
    for (const Group& group : round->groups) {
      const bool odd = group.members.size() > 2 || group.members[0].node == NodeIndex{2} ||
                       group.members[1].node == NodeIndex{2};
      outcomes.push_back(odd ? measured(30, "RING") : measured(45, "NVLSTREE"));
    }
    next = localiser.step(outcomes);
  }
  const Verdict& verdict = std::get<Verdict>(next);
  EXPECT_TRUE(verdict.unfit.empty());
  EXPECT_EQ(verdict.odd, std::vector<NodeIndex>{NodeIndex{2}});
}

TEST(LocaliseVerdict, AHangOfAllTogetherThatNoPairShowsIsSaid) {
  Localiser localiser = Localiser::create({{"a", "b", "c", "d"}, 1, {}}, recorded()).value();
  Next next = localiser.begin();
  while (const Round* round = std::get_if<Round>(&next)) {
    const bool world = round->groups[0].members.size() > 2;
    next = localiser.step(std::vector<GroupOutcome>(
        round->groups.size(), world ? trouble(OutcomeKind::kHung, "deadline") : measured(45)));
  }
  EXPECT_EQ(std::get<Verdict>(next).decision, Decision::kStop);
  EXPECT_EQ(std::get<Verdict>(next).line,
            "verdict: stop: every pair of nodes is fine at 45 GB/s: only all together are not; "
            "all_reduce on 4 nodes: hung: deadline");
}

TEST(LocaliseVerdict, WhoSaidNothingInAHangOfAllTogetherIsSaid) {
  Localiser localiser = Localiser::create({{"a", "b", "c", "d"}, 1, {}}, recorded()).value();
  Next next = localiser.begin();
  while (const Round* round = std::get_if<Round>(&next)) {
    const bool first = round->kind == RoundKind::kWorld;
    next = localiser.step(std::vector<GroupOutcome>(
        round->groups.size(),
        first ? trouble(OutcomeKind::kHung, "deadline", {NodeIndex{2}}) : measured(45)));
  }
  const Verdict& verdict = std::get<Verdict>(next);
  EXPECT_EQ(verdict.decision, Decision::kStop);
  ASSERT_EQ(verdict.one_of.size(), 1u);
  EXPECT_EQ(verdict.one_of[0].nodes, std::vector<NodeIndex>{NodeIndex{2}});
  EXPECT_NE(verdict.line.find("c said nothing when all_reduce hung on 4 nodes"), std::string::npos)
      << verdict.line;
}

TEST(LocaliseVerdict, IterationsThatVaryAreSaid) {
  Localiser localiser = Localiser::create({{"a", "b"}, 1, {}}, recorded()).value();
  localiser.begin();
  GroupOutcome outcome = measured(45);
  outcome.measured.cv = 0.12;
  outcome.measured.p99_busbw = 21;
  const Next next = localiser.step({outcome});
  EXPECT_EQ(std::get<Verdict>(next).evidence.back(),
            "unsteady: the times of the iterations over all nodes vary by 12 %, one in a hundred "
            "is below 21.0 GB/s");
}

TEST(LocaliseVerdict, AHangReadsWithWhatWasSaid) {
  Faults faults;
  faults.hung_nodes = {0};
  const Verdict verdict = verdict_of(4, 1, faults, recorded());
  EXPECT_NE(verdict.line.find("node000: hung"), std::string::npos) << verdict.line;
  EXPECT_NE(verdict.line.find("no report by the deadline"), std::string::npos) << verdict.line;
  EXPECT_NE(verdict.line.find("all_reduce on 4 nodes: hung"), std::string::npos) << verdict.line;
}

}  // namespace
}  // namespace muster::bench::localise
