#include <gtest/gtest.h>

#include "rendezvous/group.h"
#include "rendezvous/group_variables.h"

namespace muster::rendezvous {
namespace {

std::vector<ExpectedMember> members(const std::vector<std::uint32_t>& per_node) {
  std::vector<ExpectedMember> all;
  for (std::uint32_t node = 0; node < per_node.size(); ++node) {
    for (std::uint32_t task = 0; task < per_node[node]; ++task)
      all.push_back({NodeIndex{node}, LocalTask{task}, "node" + std::to_string(node)});
  }
  return all;
}

JoinOptions sample() {
  JoinOptions options;
  options.incarnation = {4242, 1, 2, "check.0"};
  options.expected = members({2, 2, 1});
  options.self = {NodeIndex{1}, LocalTask{1}, "node1", 0, ""};
  options.coordinator_hosts = {"10.0.0.1", "fd00::1"};
  options.ports = {12000, 12001};
  options.authentication.method = AuthenticationMethod::kKey;
  options.authentication.key = "sixteen bytes!!!";
  options.deadline = std::chrono::seconds(9);
  return options;
}

TEST(GroupShape, IsRunLengths) {
  EXPECT_EQ(shape_of(members({8, 8, 8, 4})), "8(x3),4");
  EXPECT_EQ(shape_of(members({0, 0, 1})), "0(x2),1");
  EXPECT_EQ(shape_of(members(std::vector<std::uint32_t>(1250, 8))), "8(x1250)");
}

TEST(GroupShape, SurvivesTheRoundTrip) {
  for (const auto& shape : {std::vector<std::uint32_t>{1}, {8, 8, 4}, {0, 3, 0, 3}, {1, 2, 3}})
    EXPECT_EQ(members_of_shape(shape_of(members(shape))).value(), members(shape));
}

TEST(GroupShape, RefusesNonsenseAndAbsurdNumbers) {
  for (const char* bad : {"", "x", "8(x", "8(x)", "8(3)", "-1", "8,,8", "8(x3)4", "0",
                          "0(x4000000000)", "65536(x2)", "4294967295(x4294967295)"})
    EXPECT_FALSE(members_of_shape(bad)) << bad;
}

TEST(GroupEnvironment, SurvivesTheRoundTrip) {
  const JoinOptions sent = sample();
  const auto got = join_options_from(group_environment(sent));
  ASSERT_TRUE(got) << got.error().message();
  EXPECT_EQ(got->incarnation, sent.incarnation);
  EXPECT_EQ(got->self, sent.self);
  EXPECT_EQ(got->expected, sent.expected);
  EXPECT_EQ(got->coordinator_hosts, sent.coordinator_hosts);
  EXPECT_EQ(got->ports, sent.ports);
  EXPECT_EQ(got->host_server, sent.host_server);
  EXPECT_EQ(got->authentication, sent.authentication);
  EXPECT_EQ(got->deadline, sent.deadline);
}

TEST(GroupEnvironment, CarriesEveryWayToProve) {
  JoinOptions sent = sample();
  sent.authentication = {AuthenticationMethod::kMunge, "", "/run/own.socket"};
  EXPECT_EQ(join_options_from(group_environment(sent))->authentication, sent.authentication);
  sent.authentication = {AuthenticationMethod::kMunge, "", ""};
  EXPECT_EQ(join_options_from(group_environment(sent))->authentication, sent.authentication);
  sent.authentication = {AuthenticationMethod::kNone, "", ""};
  EXPECT_EQ(join_options_from(group_environment(sent))->authentication, sent.authentication);
}

TEST(GroupEnvironment, StaysSmallWithTenThousandMembers) {
  JoinOptions options = sample();
  options.expected = members(std::vector<std::uint32_t>(1250, 8));
  std::size_t bytes = 0;
  for (const std::string& entry : group_environment(options).to_strings()) bytes += entry.size();
  EXPECT_LT(bytes, 1000u);
}

TEST(GroupEnvironment, SaysThatNothingWasPrepared) {
  const auto got = join_options_from(Environment{});
  ASSERT_FALSE(got);
  EXPECT_EQ(got.error().code(), ErrorCode::kNotFound);
}

TEST(GroupEnvironment, NamesTheBrokenVariable) {
  const Environment whole = group_environment(sample());
  for (const auto& [name, value] : whole.variables()) {
    if (name == "MUSTER_GROUP_ID" || name == "MUSTER_GROUP_RANK") continue;
    Environment broken = whole;
    broken.unset(name);
    const auto got = join_options_from(broken);
    ASSERT_FALSE(got) << name;
    EXPECT_EQ(got.error().message(), name + " is missing");
  }
  Environment broken = whole;
  broken.set("MUSTER_GROUP_SIZE", "7");
  EXPECT_EQ(join_options_from(broken).error().message(),
            "MUSTER_GROUP_SIZE is 7, but MUSTER_GROUP_MEMBERS says 5");
}

}  // namespace
}  // namespace muster::rendezvous
