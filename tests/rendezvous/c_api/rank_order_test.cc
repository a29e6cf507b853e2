#include "rendezvous/c_api/rank_order.h"

#include <gtest/gtest.h>

namespace muster::rendezvous {
namespace {

Roster roster_of(const std::vector<std::string>& facts) {
  Roster roster;
  for (const std::string& each : facts) {
    Member member;
    member.index = MemberIndex{static_cast<std::uint32_t>(roster.members.size())};
    member.description.task = LocalTask{value_of(member.index)};
    member.description.host = "node1";
    member.description.facts = each;
    roster.members.push_back(member);
  }
  return roster;
}

TEST(RankOrder, ClaimStandsBeforeTheFacts) {
  EXPECT_EQ(facts_with_claim(0x01020304, "x"), "\x01\x02\x03\x04x");
}

TEST(RankOrder, GivesEachRankTheMemberThatClaimsIt) {
  const Roster roster = roster_of(
      {facts_with_claim(2, "facts"), facts_with_claim(0, ""), facts_with_claim(1, "more")});
  const auto order = order_by_claims(roster);
  ASSERT_TRUE(order) << order.error().message();
  EXPECT_EQ(*order, (std::vector<std::uint32_t>{1, 2, 0}));
  EXPECT_EQ(order_of_roster(roster), (std::vector<std::uint32_t>{0, 1, 2}));
}

TEST(RankOrder, NamesTwoMembersOfOneRank) {
  const auto order = order_by_claims(roster_of({facts_with_claim(0, ""), facts_with_claim(0, "")}));
  ASSERT_FALSE(order);
  EXPECT_EQ(order.error().message(),
            "task 0 of node1 and task 1 of node1 both call themselves rank 0; do not overwrite "
            "SLURM_PROCID");
}

TEST(RankOrder, NamesARankBeyondTheGroupAndAMissingOne) {
  const auto beyond =
      order_by_claims(roster_of({facts_with_claim(0, ""), facts_with_claim(2, "")}));
  ASSERT_FALSE(beyond);
  EXPECT_EQ(beyond.error().message(), "task 1 of node1 calls itself rank 2, expected 0 to 1");
  const auto missing = order_by_claims(roster_of({"abc"}));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message(),
            "task 0 of node1 calls itself rank nothing, expected 0 to 0");
}

}  // namespace
}  // namespace muster::rendezvous
