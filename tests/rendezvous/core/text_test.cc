#include "rendezvous/text.h"

#include <gtest/gtest.h>

namespace muster::rendezvous {
namespace {

ExpectedMember expected(std::uint32_t node, std::uint32_t task, std::string host) {
  return {NodeIndex{node}, LocalTask{task}, std::move(host)};
}

TEST(Text, FoldsNeighboursAndKeepsZeros) {
  EXPECT_EQ(fold_hosts({"node001", "node002", "node003", "node007", "login"}),
            "node[001-003,007],login");
  EXPECT_EQ(fold_hosts({"node9", "node10"}), "node[9,10]");
  EXPECT_EQ(fold_hosts({"a1"}), "a1");
  EXPECT_EQ(fold_hosts({"login", "login"}), "login,login");
  EXPECT_EQ(fold_hosts({}), "");
  EXPECT_EQ(fold_hosts({"n12345678901234567890", "7"}), "n12345678901234567890,7");
}

TEST(Text, CutsALongListAndCountsTheRest) {
  std::vector<std::string> hosts;
  for (int i = 0; i < 5000; ++i) hosts.push_back("n" + std::to_string(i * 2));
  const std::string text = fold_hosts(hosts);
  EXPECT_LT(text.size(), kMaxNames + 100);
  EXPECT_NE(text.find(" and 4"), std::string::npos);
  EXPECT_NE(text.find(" more"), std::string::npos);
}

TEST(Text, MentionsTasksOnlyWhereSomebodyHasSeveral) {
  const std::vector<ExpectedMember> one_each = {expected(0, 0, "n0"), expected(1, 0, "n1")};
  EXPECT_EQ(fold_members(one_each, one_each), "n[0-1]");
  const std::vector<ExpectedMember> two_each = {expected(0, 0, "n0"), expected(0, 1, "n0"),
                                                expected(1, 0, "n1"), expected(1, 1, "n1"),
                                                expected(2, 1, "n2")};
  EXPECT_EQ(fold_members(two_each, two_each), "n[0-1] (tasks 0-1), n2 (task 1)");
}

TEST(Text, NamesAMember) {
  Member member{MemberIndex{19}, {NodeIndex{2}, LocalTask{3}, "node002", 1, ""}, ""};
  EXPECT_EQ(name_member(member), "node002 task 3 (member 19)");
  member.description.task = LocalTask{0};
  EXPECT_EQ(name_member(member), "node002 (member 19)");
}

TEST(Text, WritesSecondsShortly) {
  EXPECT_EQ(seconds_text(Duration(15000)), "15 s");
  EXPECT_EQ(seconds_text(Duration(250)), "0.25 s");
  EXPECT_EQ(seconds_text(Duration(1001)), "1.001 s");
}

TEST(Text, ClipsWithDots) {
  EXPECT_EQ(clipped("abcdef", 6), "abcdef");
  EXPECT_EQ(clipped("abcdefg", 6), "abc...");
}

}  // namespace
}  // namespace muster::rendezvous
