#include "rendezvous/attendance.h"

#include <gtest/gtest.h>

#include <initializer_list>

namespace muster::rendezvous {
namespace {

// `nodes` nodes with `tasks` members each; member = node * tasks + task.
std::vector<ExpectedMember> grid(std::uint32_t nodes, std::uint32_t tasks) {
  std::vector<ExpectedMember> expected;
  for (std::uint32_t node = 0; node < nodes; ++node)
    for (std::uint32_t task = 0; task < tasks; ++task)
      expected.push_back({NodeIndex{node}, LocalTask{task}, "n"});
  return expected;
}

void join_all(Attendance& attendance, std::initializer_list<std::uint32_t> members) {
  for (const std::uint32_t member : members) attendance.join(MemberIndex{member});
}

TEST(Attendance, IsCompleteWithTheLastExpectedMemberOnly) {
  Attendance attendance(grid(2, 2), 0);
  join_all(attendance, {0, 1, 2});
  EXPECT_FALSE(attendance.is_complete());
  attendance.join(MemberIndex{3});
  EXPECT_TRUE(attendance.is_complete());
  attendance.leave(MemberIndex{0});
  EXPECT_FALSE(attendance.is_complete());
}

TEST(Attendance, WithAllNodesNeededOneGivenUpMakesItHopeless) {
  Attendance attendance(grid(3, 1), 0);
  attendance.give_up(MemberIndex{0});
  EXPECT_TRUE(attendance.is_hopeless());
  join_all(attendance, {1, 2});
  EXPECT_FALSE(attendance.is_complete());
}

TEST(Attendance, WithFewerNeededTheWorldIsTheNodesThatAreWhole) {
  Attendance attendance(grid(4, 2), 3);
  join_all(attendance, {1, 2, 3, 4, 5, 6});
  EXPECT_FALSE(attendance.is_complete());
  attendance.give_up(MemberIndex{0});
  EXPECT_FALSE(attendance.is_complete());  // task 1 of node 3 may still come
  attendance.join(MemberIndex{7});
  EXPECT_TRUE(attendance.is_complete());
  EXPECT_FALSE(attendance.is_in_world(MemberIndex{1}));  // its node is not whole
  EXPECT_TRUE(attendance.is_in_world(MemberIndex{7}));
  EXPECT_EQ(attendance.whole_nodes(), 3U);
}

TEST(Attendance, AMinimumOfLessThanAMajorityIsRaisedToOne) {
  EXPECT_EQ(Attendance(grid(4, 1), 1).needed_nodes(), 3U);
  EXPECT_EQ(Attendance(grid(5, 1), 1).needed_nodes(), 3U);
  EXPECT_EQ(Attendance(grid(2, 1), 1).needed_nodes(), 2U);
  EXPECT_EQ(Attendance(grid(1, 8), 1).needed_nodes(), 1U);
  EXPECT_EQ(Attendance(grid(4, 1), 9).needed_nodes(), 4U);
}

TEST(Attendance, OneGivenUpThatComesAfterAllCountsAgain) {
  Attendance attendance(grid(3, 1), 2);
  attendance.give_up(MemberIndex{0});
  attendance.give_up(MemberIndex{0});
  join_all(attendance, {1, 2});
  EXPECT_TRUE(attendance.is_complete());
  attendance.join(MemberIndex{0});
  EXPECT_TRUE(attendance.is_complete());
  EXPECT_EQ(attendance.whole_nodes(), 3U);
  EXPECT_TRUE(attendance.given_up().empty());
}

TEST(Attendance, IsSettledWhenAllWhoAreNotHereAreOfNodesThatAreOut) {
  Attendance attendance(grid(3, 2), 2);
  join_all(attendance, {2, 3, 4});
  attendance.give_up(MemberIndex{0});
  EXPECT_FALSE(attendance.is_settled());  // task 1 of node 2 may still come
  attendance.join(MemberIndex{5});
  EXPECT_TRUE(attendance.is_settled());
}

TEST(Attendance, TheLastCallGivesUpAllThatNeverCame) {
  Attendance attendance(grid(4, 2), 2);
  join_all(attendance, {0, 1, 2, 3, 4, 6, 7});
  EXPECT_TRUE(attendance.is_enough());
  EXPECT_FALSE(attendance.is_complete());
  attendance.give_up_absent();
  EXPECT_TRUE(attendance.is_complete());
  EXPECT_FALSE(attendance.is_in_world(MemberIndex{4}));
}

}  // namespace
}  // namespace muster::rendezvous
