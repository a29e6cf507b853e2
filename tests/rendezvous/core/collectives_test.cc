#include "rendezvous/collectives.h"

#include <gtest/gtest.h>

namespace muster::rendezvous {
namespace {

constexpr MemberIndex kA{0};
constexpr MemberIndex kB{1};
constexpr MemberIndex kC{2};

Collectives three() {
  return Collectives({"n0 (member 0)", "n1 (member 1)", "n2 (member 2)"});
}

Arrive barrier(std::string name) {
  return {CollectiveKind::kBarrier, std::move(name), MemberIndex{}, ""};
}
Arrive gather(std::string name, std::string bytes) {
  return {CollectiveKind::kAllGather, std::move(name), MemberIndex{}, std::move(bytes)};
}
Arrive broadcast(std::string name, MemberIndex root, std::string bytes) {
  return {CollectiveKind::kBroadcast, std::move(name), root, std::move(bytes)};
}

// "0,1,2: done a|b|c" or "0: failed reason"
std::string told(const Collectives::Announcements& announcements) {
  std::string text;
  for (const auto& [to, message] : announcements) {
    if (!text.empty()) text += "; ";
    for (const MemberIndex member : to)
      text += (member == to.front() ? "" : ",") + std::to_string(value_of(member));
    if (const auto* failed = std::get_if<CollectiveFailed>(&message)) {
      text += ": failed " + failed->reason;
    } else {
      text += ": done";
      for (const std::string& value : std::get<CollectiveDone>(message).values) text += " " + value;
    }
  }
  return text;
}

TEST(Collectives, ABarrierOpensWhenTheLastArrives) {
  Collectives collectives = three();
  EXPECT_EQ(told(collectives.arrive(kC, barrier("b"))), "");
  EXPECT_EQ(told(collectives.arrive(kA, barrier("b"))), "");
  EXPECT_EQ(told(collectives.arrive(kB, barrier("b"))), "0,1,2: done");
  EXPECT_EQ(collectives.open(), 0u);
}

TEST(Collectives, AGatherGivesAllValuesInTheOrderOfMembers) {
  Collectives collectives = three();
  collectives.arrive(kC, gather("g", "c"));
  collectives.arrive(kA, gather("g", "a"));
  EXPECT_EQ(told(collectives.arrive(kB, gather("g", "b"))), "0,1,2: done a b c");
}

TEST(Collectives, ABroadcastGivesTheRootsValue) {
  Collectives collectives = three();
  collectives.arrive(kB, broadcast("x", kB, "root"));
  collectives.arrive(kA, broadcast("x", kB, "ignored"));
  EXPECT_EQ(told(collectives.arrive(kC, broadcast("x", kB, ""))), "0,1,2: done root");
}

TEST(Collectives, ANameIsFreeAgainAfterCompletion) {
  Collectives collectives = three();
  for (int round = 0; round < 2; ++round) {
    collectives.arrive(kA, barrier("b"));
    collectives.arrive(kB, barrier("b"));
    EXPECT_EQ(told(collectives.arrive(kC, barrier("b"))), "0,1,2: done");
  }
}

TEST(Collectives, ALostMemberFailsWhatIsOpenAndWhatComes) {
  Collectives collectives = three();
  collectives.arrive(kA, barrier("b"));
  collectives.arrive(kC, barrier("b"));
  EXPECT_EQ(told(collectives.drop_member(kC, "is lost: reset")),
            "0: failed barrier \"b\": n2 (member 2) is lost: reset");
  EXPECT_EQ(told(collectives.arrive(kB, barrier("b"))),
            "1: failed barrier \"b\": n2 (member 2) is lost: reset");
  EXPECT_EQ(collectives.open(), 0u);
  EXPECT_EQ(told(collectives.arrive(kB, gather("later", ""))),
            "1: failed all_gather \"later\": n2 (member 2) is lost: reset");
}

TEST(Collectives, GivingUpFailsForAllAndNamesTheMissing) {
  Collectives collectives = three();
  collectives.arrive(kA, barrier("b"));
  collectives.arrive(kB, barrier("b"));
  EXPECT_EQ(told(collectives.give_up(kA, {"b"})),
            "0,1: failed barrier \"b\": n0 (member 0) gave up waiting for 1 of 3 members: n2 "
            "(member 2)");
  EXPECT_EQ(told(collectives.give_up(kB, {"b"})), "");
  EXPECT_EQ(told(collectives.arrive(kC, barrier("b"))).substr(0, 9), "2: failed");
  EXPECT_EQ(collectives.open(), 0u);
}

TEST(Collectives, GivingUpWithoutHavingComeMeansNothing) {
  Collectives collectives = three();
  collectives.arrive(kA, barrier("b"));
  EXPECT_EQ(told(collectives.give_up(kB, {"b"})), "");
  EXPECT_EQ(told(collectives.give_up(kB, {"unknown"})), "");
}

TEST(Collectives, OneNameForTwoThingsFailsBoth) {
  Collectives collectives = three();
  collectives.arrive(kA, barrier("b"));
  EXPECT_EQ(told(collectives.arrive(kB, gather("b", "x"))),
            "0,1: failed barrier \"b\": n1 (member 1) calls it as all_gather");
  collectives.arrive(kA, broadcast("x", kA, ""));
  EXPECT_EQ(told(collectives.arrive(kB, broadcast("x", kB, ""))),
            "0,1: failed broadcast \"x\": n1 (member 1) names another root");
}

TEST(Collectives, ArrivingTwiceFails) {
  Collectives collectives = three();
  collectives.arrive(kA, barrier("b"));
  EXPECT_EQ(told(collectives.arrive(kA, barrier("b"))),
            "0: failed barrier \"b\": n0 (member 0) calls it a second time");
}

TEST(Collectives, RefusesARootThatDoesNotExist) {
  Collectives collectives = three();
  EXPECT_EQ(told(collectives.arrive(kA, broadcast("x", MemberIndex{3}, ""))),
            "0: failed broadcast \"x\": no member 3");
  EXPECT_EQ(collectives.open(), 0u);
}

TEST(Collectives, LimitsTheOpenOnesAndTheirBytes) {
  Collectives collectives = three();
  for (std::size_t i = 0; i < kMaxCollectives; ++i)
    collectives.arrive(kA, barrier(std::to_string(i)));
  EXPECT_EQ(told(collectives.arrive(kA, barrier("one more"))),
            "0: failed barrier \"one more\": 4096 collectives are open");
  Collectives many{std::vector<std::string>(70, "m")};
  std::string last;
  for (std::uint32_t i = 0; i < 64; ++i)
    last = told(many.arrive(MemberIndex{i}, gather("g", std::string(kMaxValue, 'v'))));
  EXPECT_NE(last.find("m makes the whole longer than 64 MiB"), std::string::npos);
}

TEST(Collectives, SaysWhoIsMissing) {
  Collectives collectives = three();
  collectives.arrive(kB, barrier("b"));
  EXPECT_EQ(collectives.missing("b"), (Missing{"b", 2, {"n0 (member 0)", "n2 (member 2)"}}));
  EXPECT_EQ(collectives.missing("unknown"), (Missing{"unknown", 0, {}}));
}

}  // namespace
}  // namespace muster::rendezvous
