#include "launcher/store/admission.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace muster::launcher {
namespace {

using namespace std::chrono_literals;
using admission::Admit;
using admission::Ask;
using admission::Came;
using admission::DeadlinePassed;
using admission::LookUpHere;
using admission::OwnersKnown;
using admission::Refuse;

constexpr std::uint32_t kUser = 1000;

class Door {
 public:
  explicit Door(AdmissionMode mode = AdmissionMode::kUid)
      : admission({mode, kUser, {"10.0.0.1", "fd00::1"}, 8s}) {}

  static StoreConnection from(const std::string& address, std::uint64_t id) {
    const auto port = static_cast<std::uint16_t>(40000 + id % 20000);
    return {id, {address, port}, {"10.0.0.1", 12000}};
  }

  admission::Effects come(const std::string& address, std::uint64_t id) {
    return admission.step(Came{from(address, id)}, now);
  }
  admission::Effects tell(std::uint64_t id, Finding finding, std::uint32_t uid = 0) {
    return admission.step(OwnersKnown{{{id, finding, uid}}}, now);
  }
  admission::Effects pass_deadline() {
    EXPECT_TRUE(admission.next_deadline());
    now = *admission.next_deadline();
    return admission.step(DeadlinePassed{}, now);
  }

  TimePoint now{};
  Admission admission;
};

std::string refusal(const admission::Effects& effects) {
  if (effects.size() != 1) return std::to_string(effects.size()) + " effects";
  const auto* refuse = std::get_if<Refuse>(&effects.front());
  return refuse == nullptr ? "not refused" : refuse->why;
}

TEST(Admission, AConnectionOfThisNodeIsLookedUpHere) {
  for (const std::string address : {"10.0.0.1", "fd00::1", "127.0.0.1", "127.1.2.3", "::1"}) {
    Door door;
    EXPECT_EQ(door.come(address, 7), (admission::Effects{LookUpHere{Door::from(address, 7)}}));
    EXPECT_EQ(door.tell(7, Finding::kOwner, kUser), (admission::Effects{Admit{7}}));
  }
}

TEST(Admission, OneAddressAtBothEndsIsThisNodeToo) {
  Door door;
  StoreConnection connection{1, {"10.9.9.9", 40001}, {"10.9.9.9", 12000}};
  EXPECT_EQ(door.admission.step(Came{connection}, door.now),
            (admission::Effects{LookUpHere{connection}}));
}

TEST(Admission, ConnectionsOfOtherNodesAreGatheredIntoOneQuestion) {
  Door door;
  EXPECT_TRUE(door.come("10.0.0.2", 1).empty());
  EXPECT_TRUE(door.come("10.0.0.3", 2).empty());
  EXPECT_EQ(door.pass_deadline(),
            (admission::Effects{Ask{{Door::from("10.0.0.2", 1), Door::from("10.0.0.3", 2)}}}));
  EXPECT_EQ(door.now, TimePoint{} + kGatherFor);
  EXPECT_EQ(door.tell(2, Finding::kOwner, kUser), (admission::Effects{Admit{2}}));
  EXPECT_EQ(door.tell(1, Finding::kOwner, kUser), (admission::Effects{Admit{1}}));
  EXPECT_FALSE(door.admission.next_deadline());
}

TEST(Admission, AFullQuestionIsAskedAtOnce) {
  Door door;
  admission::Effects effects;
  for (std::uint64_t id = 1; id <= kMaxStoreConnections; ++id) {
    EXPECT_TRUE(effects.empty());
    effects = door.come("10.0.0.2", id);
  }
  ASSERT_EQ(effects.size(), 1u);
  EXPECT_EQ(std::get<Ask>(effects.front()).connections.size(), kMaxStoreConnections);
}

TEST(Admission, OnlyTheJobsUserIsServed) {
  Door door;
  door.come("127.0.0.1", 1);
  EXPECT_EQ(refusal(door.tell(1, Finding::kOwner, 65534)),
            "uid 65534 owns it; the store serves uid 1000, the job's user");
  door.come("127.0.0.1", 2);
  EXPECT_EQ(refusal(door.tell(2, Finding::kOwner, 0)),
            "uid 0 owns it; the store serves uid 1000, the job's user");
}

TEST(Admission, ARefusalNamesItsCure) {
  Door door;
  door.come("10.0.0.2", 1);
  EXPECT_NE(refusal(door.tell(1, Finding::kNoSuchConnection)).find("--store-admission=node"),
            std::string::npos);
  door.come("10.0.0.99", 2);
  EXPECT_NE(refusal(door.tell(2, Finding::kUnknownNode)).find("--store-admission=open"),
            std::string::npos);
  door.come("10.0.0.2", 3);
  EXPECT_NE(refusal(door.tell(3, Finding::kNotTold)).find("cannot say"), std::string::npos);
}

TEST(Admission, ANodesWordIsNoOwnerWhereTheOwnerCounts) {
  Door door;
  door.come("10.0.0.2", 1);
  EXPECT_NE(refusal(door.tell(1, Finding::kNodeOfJob)).find("cannot say"), std::string::npos);
}

TEST(Admission, WhoGetsNoAnswerInTimeIsRefused) {
  Door door;
  door.come("10.0.0.2", 1);
  door.pass_deadline();  // asks
  EXPECT_EQ(refusal(door.pass_deadline()), "its node did not say in time who owns it");
  EXPECT_EQ(door.now, TimePoint{} + 8s);
  EXPECT_TRUE(door.tell(1, Finding::kOwner, kUser).empty());  // too late
  EXPECT_FALSE(door.admission.next_deadline());
}

TEST(Admission, AnAnswerNobodyWaitsForChangesNothing) {
  Door door;
  EXPECT_TRUE(door.tell(99, Finding::kOwner, kUser).empty());
  door.come("127.0.0.1", 1);
  EXPECT_EQ(door.tell(1, Finding::kOwner, kUser).size(), 1u);
  EXPECT_TRUE(door.tell(1, Finding::kOwner, kUser).empty());
}

TEST(Admission, ByNodeEveryUserOfTheJobsNodesIsServed) {
  Door door(AdmissionMode::kNode);
  EXPECT_EQ(door.come("127.0.0.1", 1), (admission::Effects{Admit{1}}));
  door.come("10.0.0.2", 2);
  EXPECT_EQ(door.tell(2, Finding::kNodeOfJob), (admission::Effects{Admit{2}}));
  door.come("10.0.0.99", 3);
  EXPECT_NE(refusal(door.tell(3, Finding::kUnknownNode)), "not refused");
}

TEST(Admission, OpenServesAnyone) {
  Door door(AdmissionMode::kOpen);
  EXPECT_EQ(door.come("192.0.2.1", 1), (admission::Effects{Admit{1}}));
}

TEST(Admission, TheCrowdThatWaitsIsBounded) {
  Door door;
  for (std::uint64_t id = 1; id <= kMaxWaiting; ++id) door.come("10.0.0.2", id);
  EXPECT_EQ(refusal(door.come("10.0.0.2", kMaxWaiting + 1)), "65536 others wait to be admitted");
  door.tell(1, Finding::kOwner, kUser);
  EXPECT_TRUE(door.come("10.0.0.2", kMaxWaiting + 2).empty());
}

}  // namespace
}  // namespace muster::launcher
