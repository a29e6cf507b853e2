#include "slurm/node_actions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace muster::slurm {
namespace {

using Words = std::vector<std::string>;

constexpr ClusterFacts kSlurm{false, 4711};
constexpr ClusterFacts kHyperpod{true, 4711};

TEST(NodeActions, DrainsAnUnfitNodeWithItsReason) {
  const auto commands = node_commands({{"node3", "slow, 0.41 of the others"}}, kSlurm);
  ASSERT_EQ(commands.size(), 1u);
  EXPECT_EQ(commands[0].argv, (Words{"scontrol", "update", "nodename=node3", "state=drain",
                                     "reason=muster: slow, 0.41 of the others (job 4711)"}));
  EXPECT_EQ(commands[0].text,
            "scontrol update nodename=node3 state=drain "
            "reason=\"muster: slow, 0.41 of the others (job 4711)\"");
}

TEST(NodeActions, AsksHyperpodForAReplacementInItsOwnWords) {
  const auto commands = node_commands({{"ip-10-1-57-141", "slow"}}, kHyperpod);
  ASSERT_EQ(commands.size(), 1u);
  EXPECT_EQ(commands[0].argv, (Words{"scontrol", "update", "nodename=ip-10-1-57-141", "state=fail",
                                     "reason=Action:Replace"}));
  EXPECT_EQ(commands[0].text,
            "scontrol update nodename=ip-10-1-57-141 state=fail reason=\"Action:Replace\"");
}

TEST(NodeActions, PutsNodesWithTheSameReasonInOneCommand) {
  const auto commands =
      node_commands({{"node2", "hung"}, {"node9", "slow"}, {"node1", "hung"}}, kSlurm);
  ASSERT_EQ(commands.size(), 2u);
  EXPECT_EQ(commands[0].argv[2], "nodename=node[1-2]");
  EXPECT_EQ(commands[0].argv[4], "reason=muster: hung (job 4711)");
  EXPECT_EQ(commands[1].argv[2], "nodename=node9");
}

TEST(NodeActions, PutsAllNodesOfHyperpodInOneCommand) {
  const auto commands = node_commands({{"node2", "hung"}, {"node3", "slow"}}, kHyperpod);
  ASSERT_EQ(commands.size(), 1u);
  EXPECT_EQ(commands[0].argv[2], "nodename=node[2-3]");
}

TEST(NodeActions, QuotesBracketsForShellsThatTakeThemForAPattern) {
  const auto commands = node_commands({{"node1", "slow"}, {"node2", "slow"}}, kSlurm);
  EXPECT_TRUE(commands[0].text.starts_with("scontrol update nodename=\"node[1-2]\" state=drain "))
      << commands[0].text;
  EXPECT_EQ(resubmit_text({"node2", "node1"}), "sbatch --exclude=\"node[1-2]\" ...");
}

TEST(NodeActions, QuotesWhatAShellWouldExpandInAName) {
  const auto commands = node_commands({{"a$(b)'", "slow"}}, kSlurm);
  EXPECT_NE(commands[0].text.find("nodename='a$(b)'\\''' state"), std::string::npos)
      << commands[0].text;
}

TEST(NodeActions, GivesNoCommandForNoNode) {
  EXPECT_TRUE(node_commands({}, kSlurm).empty());
  EXPECT_EQ(exclude_word({}), "");
  EXPECT_EQ(resubmit_text({}), "");
}

TEST(NodeActions, ExcludesNodesFromTheNextSubmission) {
  EXPECT_EQ(exclude_word({"node3"}), "--exclude=node3");
  EXPECT_EQ(exclude_word({"node4", "node3"}), "--exclude=node[3-4]");
  EXPECT_EQ(resubmit_text({"node3"}), "sbatch --exclude=node3 ...");
}

TEST(NodeReason, LeavesOutTheJobWhereThereIsNone) {
  EXPECT_EQ(node_reason("slow", 0), "muster: slow");
}

TEST(NodeReason, IsOneLine) {
  EXPECT_EQ(node_reason("  slow,\n\t of  the\r\nothers ", 7),
            "muster: slow, of the others (job 7)");
}

TEST(NodeReason, IsNeverEmpty) {
  EXPECT_EQ(node_reason(" \n", 7), "muster: unfit (job 7)");
}

TEST(NodeReason, KeepsNothingThatAShellReadsInsideDoubleQuotes) {
  EXPECT_EQ(node_reason("a\"b`c\\d$e!f\x1b[1mg\xc3\xa4", 0), "muster: a'b'c/d?e?f?[1mg??");
}

TEST(NodeReason, LosesItsEndAndNeverTheJobWhenItIsTooLong) {
  const std::string reason = node_reason(std::string(1000, 'x'), 4711);
  EXPECT_EQ(reason.size(), kMaxReason);
  EXPECT_TRUE(reason.ends_with("xxx... (job 4711)")) << reason;
  const std::size_t room = kMaxReason - std::string("muster:  (job 4711)").size();
  EXPECT_EQ(node_reason(std::string(room, 'x'), 4711).find("..."), std::string::npos);
}

TEST(NodeReason, HoldsForAnyBytes) {
  std::mt19937 random(4711);
  for (int round = 0; round < 2000; ++round) {
    std::string text(random() % 400, ' ');
    for (char& byte : text) byte = static_cast<char>(random());
    const std::string reason = node_reason(text, UINT64_MAX);
    EXPECT_LE(reason.size(), kMaxReason);
    EXPECT_EQ(reason.find_first_of("\"`\\$!"), std::string::npos) << reason;
    EXPECT_TRUE(std::all_of(reason.begin(), reason.end(), [](char byte) {
      return byte >= 0x20 && byte < 0x7f;
    })) << reason;
  }
}

}  // namespace
}  // namespace muster::slurm
