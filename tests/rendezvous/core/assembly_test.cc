#include "rendezvous/assembly.h"

#include <gtest/gtest.h>

namespace muster::rendezvous {
namespace {

std::vector<ExpectedMember> three() {
  return {{NodeIndex{0}, LocalTask{0}, "n0"},
          {NodeIndex{1}, LocalTask{0}, "n1"},
          {NodeIndex{2}, LocalTask{0}, "n2"}};
}

Seat seat_of(std::uint32_t node, std::string server_address) {
  Seat seat;
  seat.description = {NodeIndex{node}, LocalTask{0}, "n" + std::to_string(node), 1, ""};
  seat.address = "10.0.0." + std::to_string(node);
  seat.server_address = std::move(server_address);
  return seat;
}

Assembly full(const std::vector<std::string>& addresses) {
  Assembly assembly(three(), NodeIndex{0}, Generation{4}, 0);
  for (std::uint32_t i = 0; i < 3; ++i) assembly.take(MemberIndex{i}, seat_of(i, addresses[i]));
  return assembly;
}

TEST(Assembly, FindsThePlaceOfAMember) {
  const Assembly assembly(three(), NodeIndex{0}, Generation{}, 0);
  EXPECT_EQ(assembly.find(NodeIndex{2}, LocalTask{0}), MemberIndex{2});
  EXPECT_FALSE(assembly.find(NodeIndex{2}, LocalTask{1}));
  EXPECT_FALSE(assembly.find(NodeIndex{3}, LocalTask{0}));
}

TEST(Assembly, NamesTheMissing) {
  Assembly assembly(three(), NodeIndex{0}, Generation{}, 0);
  EXPECT_EQ(assembly.missing().size(), 3u);
  assembly.take(MemberIndex{1}, seat_of(1, "10.0.0.1"));
  EXPECT_EQ(assembly.missing(), (std::vector<ExpectedMember>{three()[0], three()[2]}));
  assembly.vacate(MemberIndex{1});
  EXPECT_EQ(assembly.missing().size(), 3u);
}

TEST(Assembly, CountsAcknowledgementsOfTheNewestGenerationOnly) {
  Assembly assembly = full({"", "a", "a"});
  EXPECT_EQ(assembly.prepare(), Generation{5});
  for (std::uint32_t i = 0; i < 3; ++i) assembly.acknowledge(MemberIndex{i}, Generation{4});
  EXPECT_FALSE(assembly.all_acknowledged());
  for (int twice = 0; twice < 2; ++twice) {
    assembly.acknowledge(MemberIndex{0}, Generation{5});
    assembly.acknowledge(MemberIndex{1}, Generation{5});
  }
  EXPECT_FALSE(assembly.all_acknowledged());
  EXPECT_EQ(assembly.missing(), std::vector<ExpectedMember>{three()[2]});
  assembly.acknowledge(MemberIndex{2}, Generation{5});
  EXPECT_TRUE(assembly.all_acknowledged());
}

TEST(Assembly, ANewGenerationOrALostMemberForgetsAcknowledgements) {
  Assembly assembly = full({"", "a", "a"});
  assembly.prepare();
  for (std::uint32_t i = 0; i < 3; ++i) assembly.acknowledge(MemberIndex{i}, Generation{5});
  assembly.vacate(MemberIndex{2});
  EXPECT_FALSE(assembly.all_acknowledged());
  assembly.take(MemberIndex{2}, seat_of(2, "a"));
  EXPECT_EQ(assembly.prepare(), Generation{6});
  assembly.acknowledge(MemberIndex{2}, Generation{6});
  EXPECT_FALSE(assembly.all_acknowledged());
}

TEST(Assembly, TheRosterStandsInTheOrderOfTheExpected) {
  Assembly assembly = full({"", "10.0.0.100", "10.0.0.100"});
  assembly.prepare();
  const Roster roster = assembly.roster();
  EXPECT_EQ(roster.generation, Generation{5});
  EXPECT_EQ(roster.members[2].description.host, "n2");
  EXPECT_EQ(roster.members[2].index, MemberIndex{2});
  EXPECT_EQ(roster.coordinator_address, "10.0.0.100");
}

TEST(Assembly, TheCoordinatorsAddressIsTheOneMostOthersCameBy) {
  EXPECT_EQ(full({"192.168.0.1", "10.0.0.9", "10.0.0.1"}).roster().coordinator_address, "10.0.0.1");
  Assembly alone({three()[0]}, NodeIndex{0}, Generation{}, 0);
  alone.take(MemberIndex{0}, seat_of(0, "10.0.0.1"));
  EXPECT_EQ(alone.roster().coordinator_address, "127.0.0.1");
}

}  // namespace
}  // namespace muster::rendezvous
