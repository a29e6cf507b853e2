#include "collectives-bench/joining.h"

#include <gtest/gtest.h>

#include "rendezvous/ports.h"

namespace muster::bench {
namespace {

slurm::Step uneven_step() {
  slurm::Step step;
  step.job = 4242;
  step.step = 1;
  step.hosts = {"n0", "n1", "n2"};
  step.tasks_per_node = {2, 1, 2};
  step.node = NodeIndex{2};
  step.local_task = LocalTask{1};
  return step;
}

TEST(Joining, RanksGoByNodeThenLocalTask) {
  const auto members = members_of(uneven_step());
  ASSERT_EQ(members.size(), 5u);
  EXPECT_EQ(members[2], (rendezvous::ExpectedMember{NodeIndex{1}, LocalTask{0}, "n1"}));
  EXPECT_EQ(members[4], (rendezvous::ExpectedMember{NodeIndex{2}, LocalTask{1}, "n2"}));
}

TEST(Joining, ASeatKnowsItsPlaceOnItsNode) {
  const auto seat = seat_of(join_options_of(uneven_step()));
  ASSERT_TRUE(seat);
  EXPECT_EQ(seat->rank, 4u);
  EXPECT_EQ(seat->size, 5u);
  EXPECT_EQ(seat->node, 2u);
  EXPECT_EQ(seat->nodes, 3u);
  EXPECT_EQ(seat->local_rank, 1u);
  EXPECT_EQ(seat->local_size, 2u);
  EXPECT_EQ(seat->host, "n2");
}

TEST(Joining, SeveralProcessesOfMpirunAreRefusedAndOneIsNot) {
  EXPECT_TRUE(check_started_alone({}));
  EXPECT_TRUE(check_started_alone(Environment({{"OMPI_COMM_WORLD_SIZE", "1"}})));
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"}) {
    const Status status = check_started_alone(Environment({{name, "8"}}));
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code(), ErrorCode::kInvalidArgument);
    EXPECT_NE(status.error().message().find("start it once with -g 8"), std::string::npos);
  }
}

TEST(Joining, OnlyTheFirstTaskOfTheFirstNodeServes) {
  slurm::Step step = uneven_step();
  EXPECT_FALSE(join_options_of(step).host_server);
  step.node = NodeIndex{0};
  EXPECT_FALSE(join_options_of(step).host_server);
  step.local_task = LocalTask{0};
  EXPECT_TRUE(join_options_of(step).host_server);
}

TEST(Joining, SlotsOfATaskAreRanksAfterNodeAndTask) {
  const auto members = members_of(uneven_step(), 3);
  ASSERT_EQ(members.size(), 15u);
  EXPECT_EQ(members[4], (rendezvous::ExpectedMember{NodeIndex{0}, LocalTask{4}, "n0"}));
  EXPECT_EQ(members[6], (rendezvous::ExpectedMember{NodeIndex{1}, LocalTask{0}, "n1"}));
  const auto seat = seat_of(join_options_of(uneven_step(), {1, 3}));
  ASSERT_TRUE(seat);
  EXPECT_EQ(seat->rank, 13u) << "the second slot of the last task";
  EXPECT_EQ(seat->size, 15u);
  EXPECT_EQ(seat->local_rank, 4u);
  EXPECT_EQ(seat->local_size, 6u);
}

TEST(Joining, OnlyTheFirstSlotServes) {
  slurm::Step step = uneven_step();
  step.node = NodeIndex{0};
  step.local_task = LocalTask{0};
  EXPECT_TRUE(join_options_of(step, {0, 2}).host_server);
  EXPECT_FALSE(join_options_of(step, {1, 2}).host_server);
}

TEST(Joining, AloneTheSlotsMeetOverLoopbackWithAKeyOfTheirOwn) {
  const auto first = join_options_alone("laptop", {0, 4}, 77, "0123456789abcdef");
  const auto last = join_options_alone("laptop", {3, 4}, 77, "0123456789abcdef");
  EXPECT_EQ(first.expected, last.expected);
  EXPECT_EQ(first.ports, last.ports);
  EXPECT_EQ(last.coordinator_hosts, std::vector<std::string>{"127.0.0.1"});
  EXPECT_EQ(last.authentication.method, rendezvous::AuthenticationMethod::kKey);
  EXPECT_TRUE(first.host_server);
  EXPECT_FALSE(last.host_server);
  const auto seat = seat_of(last);
  ASSERT_TRUE(seat);
  EXPECT_EQ(seat->rank, 3u);
  EXPECT_EQ(seat->size, 4u);
  EXPECT_EQ(seat->host, "laptop");
  EXPECT_NE(first.ports, join_options_alone("laptop", {0, 4}, 78, "0123456789abcdef").ports);
}

TEST(Joining, MeetsApartFromTheAgentsOfTheStep) {
  const auto options = join_options_of(uneven_step());
  rendezvous::Incarnation agents = options.incarnation;
  agents.scope = "";
  EXPECT_NE(options.ports, rendezvous::candidate_ports(agents, {}));
  EXPECT_EQ(options.coordinator_hosts, std::vector<std::string>{"n0"});
}

TEST(Joining, AMemberThatNobodyExpectsIsRefused) {
  auto options = join_options_of(uneven_step());
  options.self.task = LocalTask{7};
  EXPECT_FALSE(seat_of(options));
}

TEST(Joining, TheAddressIsTheOneThatOthersReach) {
  rendezvous::Roster roster;
  roster.coordinator_address = "10.0.0.1";
  const auto add = [&roster](std::uint32_t node, const char* address) {
    rendezvous::Member member;
    member.description.node = NodeIndex{node};
    member.address = address;
    roster.members.push_back(member);
  };
  add(0, "");
  add(0, "127.0.0.1");
  add(1, "10.0.0.2");
  add(2, "::1");
  EXPECT_EQ(address_of(roster, 0), "10.0.0.1");
  EXPECT_EQ(address_of(roster, 1), "10.0.0.1");
  EXPECT_EQ(address_of(roster, 2), "10.0.0.2");
  EXPECT_EQ(address_of(roster, 3), "");
  EXPECT_EQ(address_of(roster, 9), "");
  roster.coordinator_address = "127.0.0.1";
  EXPECT_EQ(address_of(roster, 0), "");
}

}  // namespace
}  // namespace muster::bench
