// What a ServerEngine does that took the role from another, or meets one that did.
#include "rendezvous/generation.h"
#include "tests/rendezvous/core/server_engine_fixture.h"

namespace muster::rendezvous {
namespace {

using ServerSuccessionTest = ServerEngineTest;

TEST_F(ServerSuccessionTest, ASuccessorDoesNotWaitForTheNodeWhoseRoleItTook) {
  options_.node = NodeIndex{1};
  options_.epoch = 1;
  options_.last_generation = none_of_epoch(1);
  options_.lost_node = NodeIndex{0};
  open(3);
  join(2, 1);
  pass(kLostNodePatience + Duration(500));
  EXPECT_EQ(last<server_effect::AssemblyFailed>().error.message(),
            "n0 was lost while the members gathered, and with it the coordinator");
}

TEST_F(ServerSuccessionTest, BelievesAMemberThatSawACoordinatorGo) {
  options_.node = NodeIndex{1};
  options_.epoch = 1;
  options_.last_generation = none_of_epoch(1);
  open(3);
  join(2, 1);
  connect(3);
  Join witness = join_of(3, 2);
  witness.lost = {NodeIndex{0}, NodeIndex{1}, NodeIndex{77}};  // two of them need not concern it
  say(3, witness);
  pass(kReturnPatience - Duration(500));
  EXPECT_EQ(count<server_effect::AssemblyFailed>(), 0u);
  EXPECT_FALSE(engine_->has_told_all());
  pass(std::chrono::seconds(1));
  EXPECT_TRUE(engine_->has_told_all());
  EXPECT_EQ(last<server_effect::AssemblyFailed>().error.message(),
            "n0 was lost while the members gathered, and with it the coordinator");
}

TEST_F(ServerSuccessionTest, OneThatIsSaidToBeGoneAndComesIsTakenIn) {
  options_.node = NodeIndex{1};
  options_.epoch = 1;
  options_.last_generation = none_of_epoch(1);
  open(4);
  join(2, 1);
  connect(3);
  Join witness = join_of(3, 2);
  witness.lost = {NodeIndex{0}};
  say(3, witness);
  join(1, 0);
  pass(kReturnPatience + Duration(500));
  connect(4);
  witness = join_of(4, 3);
  witness.lost = {NodeIndex{0}};
  say(4, witness);
  EXPECT_EQ(count<server_effect::AssemblyFailed>(), 0u);
  EXPECT_TRUE(std::holds_alternative<Prepare>(last_said(4)));
}

TEST_F(ServerSuccessionTest, ARosterInDoubtIsNotFollowedByAnotherUntilItIsRefuted) {
  options_.epoch = 1;
  options_.last_generation = none_of_epoch(1);
  options_.minimum_nodes = 2;
  open(3);
  for (std::uint32_t node = 1; node < 3; ++node) {
    connect(node);
    Join join = join_of(node, node);
    join.acknowledged = {{Generation{1}, SeatSet::all()}};
    say(node, join);
  }
  join(3, 0);  // did not acknowledge it
  ASSERT_TRUE(std::holds_alternative<Prepare>(last_said(1)));
  step(server_event::Disconnected{ConnectionId{3}, "closed"});
  pass(kReturnPatience + kDoubtPatience + Duration(500));
  EXPECT_NE(last<server_effect::AssemblyFailed>().error.message().find("cannot be told any more"),
            std::string::npos);
}

TEST_F(ServerSuccessionTest, YieldsToALaterCoordinatorOnly) {
  options_.epoch = 1;
  options_.last_generation = none_of_epoch(1);
  open(3);
  join(2, 1);
  join(3, 2);
  step(server_event::RivalMet{0});
  EXPECT_EQ(count<server_effect::Yielded>(), 0u);
  step(server_event::RivalMet{2});
  EXPECT_EQ(count<server_effect::Yielded>(), 1u);
  EXPECT_TRUE(is_closed(2));
  EXPECT_TRUE(std::holds_alternative<Welcome>(last_said(2)));  // no Closing: it searches again
}

}  // namespace
}  // namespace muster::rendezvous
