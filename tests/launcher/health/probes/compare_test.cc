#include "launcher/health/probes/compare.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tests/launcher/health/probes/healthy_node.h"

namespace muster::health {
namespace {

std::vector<NodeFacts> cluster(int nodes) {
  std::vector<NodeFacts> all;
  for (int i = 1; i <= nodes; ++i) {
    all.push_back(comparable_facts(fmt::format("node{:03}", i), healthy_node()));
  }
  return all;
}

std::string lines_of(const std::vector<NodeFacts>& nodes) {
  return print_disagreements(compare_nodes(nodes));
}

TEST(CompareNodes, SaysNothingOfEqualNodes) {
  EXPECT_EQ(lines_of(cluster(64)), "");
  EXPECT_EQ(lines_of(cluster(1)), "");
  EXPECT_EQ(lines_of({}), "");
}

TEST(CompareNodes, NamesTheOddNode) {
  auto nodes = cluster(64);
  nodes[2].facts["driver"] = "550.54.14";
  EXPECT_EQ(lines_of(nodes), "node003: driver 550.54.14, 63 others 550.90.07\n");
  EXPECT_TRUE(odd_hosts(compare_nodes(nodes)).empty()) << "a driver is a warning";
}

TEST(CompareNodes, FoldsManyOddNodesAndGroupsByValue) {
  auto nodes = cluster(64);
  for (int i = 0; i < 20; ++i) nodes[static_cast<std::size_t>(i)].facts["NCCL"] = "2.27.5";
  nodes[40].facts.erase("NCCL");
  const auto found = compare_nodes(nodes);
  EXPECT_EQ(print_disagreements(found),
            "node[001-020]: NCCL 2.27.5; node041: NCCL none, 43 others 2.28.3\n");
  EXPECT_EQ(found[0].answer, Answer::kFail);
  EXPECT_EQ(odd_hosts(found).size(), 21U);
}

TEST(CompareNodes, BlamesNobodyWithoutAMajority) {
  auto nodes = cluster(4);
  nodes[2].facts["NCCL"] = nodes[3].facts["NCCL"] = "2.27.5";
  EXPECT_EQ(lines_of(nodes),
            "node[001-002]: NCCL 2.28.3; node[003-004]: NCCL 2.27.5 (no majority, so nobody is to "
            "blame)\n");
  EXPECT_TRUE(odd_hosts(compare_nodes(nodes)).empty());
}

TEST(CompareNodes, PutsWhatCannotWorkTogetherFirst) {
  auto nodes = cluster(3);
  nodes[0].facts["driver"] = "1";
  nodes[1].facts["GPUs"] = "7";
  EXPECT_EQ(lines_of(nodes),
            "node002: GPUs 7, 2 others 8\n"
            "node001: driver 1, 2 others 550.90.07\n");
}

TEST(CompareNodes, FindsTheClockThatIsOff) {
  auto nodes = cluster(5);
  for (NodeFacts& node : nodes) node.clock = ClockReading{7'000'000, 900};
  EXPECT_EQ(lines_of(nodes), "");
  nodes[4].clock = ClockReading{9'500'000, 900};
  EXPECT_EQ(lines_of(nodes), "node005: clock +2.5 s off, 4 others within 100 ms of each other\n");
  nodes[3].clock = {};
  nodes[0].clock = ClockReading{1'000'000, 900};
  EXPECT_EQ(lines_of(nodes),
            "node[002-003]: clock 0.0 s off; node001: clock -6.0 s off; node005: clock +2.5 s off (no "
            "majority, so nobody is to blame)\n");
}

TEST(CompareNodes, OfTwoClocksNobodyKnowsWhichIsRight) {
  auto nodes = cluster(2);
  nodes[0].clock = ClockReading{0, 100};
  nodes[1].clock = ClockReading{50'000, 100};
  EXPECT_EQ(lines_of(nodes), "");
  nodes[1].clock = ClockReading{3'000'000, 100};
  EXPECT_EQ(lines_of(nodes),
            "node001: clock 0.0 s off; node002: clock +3.0 s off (no majority, so nobody is to "
            "blame)\n");
  nodes[1].clock = ClockReading{3'000'000, 2'950'000};
  EXPECT_EQ(lines_of(nodes), "") << "it may be right";
}

TEST(CompareNodes, ComparesSettingsAndNothingElseOfTheEnvironment) {
  auto nodes = cluster(3);
  for (NodeFacts& node : nodes) {
    const std::string own = node.host;
    add_settings({{"NCCL_ALGO", own == "node002" ? "Ring" : "Tree"}, {"SECRET", own}}, node);
  }
  EXPECT_EQ(lines_of(nodes), "node002: NCCL_ALGO Ring, 2 others Tree\n");
}

TEST(CompareNodes, BoundsItsOutput) {
  std::vector<NodeFacts> nodes(600);
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    nodes[i].host = fmt::format("n{:04}", i * 7);
    for (int fact = 0; fact < 100; ++fact) {
      nodes[i].facts[fmt::format("f{}", fact)] = fmt::format("{}\x1b{}", i, std::string(500, 'x'));
    }
  }
  const std::string text = lines_of(nodes);
  EXPECT_LT(text.size(), 40'000U);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_TRUE(text.ends_with("and 68 more facts differ\n"));
}

}  // namespace
}  // namespace muster::health
