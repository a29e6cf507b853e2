// What a MemberEngine does when the coordinator's role may pass to it or to another.
#include "rendezvous/generation.h"
#include "tests/rendezvous/core/member_engine_fixture.h"

namespace muster::rendezvous {
namespace {

const Endpoint kFirstServer{"10.0.0.1", 12000};

class SuccessorTest : public MemberEngineTest {
 protected:
  SuccessorTest() { options_.successors = {NodeIndex{0}, NodeIndex{1}, NodeIndex{2}}; }
  static Greeting greeting_of(std::uint32_t epoch) {
    Greeting greeting = MemberEngineTest::greeting();
    greeting.epoch = epoch;
    greeting.node = NodeIndex{epoch};
    return greeting;
  }
  static Generation generation_of(std::uint32_t epoch) {
    return Generation{value_of(none_of_epoch(epoch)) + 1};
  }
  // Up to the acknowledgement of a roster of this epoch.
  void be_prepared(std::uint64_t id, std::uint32_t epoch) {
    connect(id, "10.0.0." + std::to_string(id));
    hear(id, greeting_of(epoch));
    hear(id, Welcome{MemberIndex{0}, 1, ""});
    Prepare prepare = MemberEngineTest::prepare();
    prepare.epoch = epoch;
    prepare.coordinator_node = NodeIndex{epoch};
    hear(id, prepare, generation_of(epoch));
    hear(id, members(), generation_of(epoch));
    ASSERT_TRUE(std::holds_alternative<Ack>(said_.back()));
  }
  void lose(std::uint64_t id) {
    step(member_event::Disconnected{ConnectionId{id}, "connection reset by peer"});
  }
  void sit_down_at_own_server(std::uint64_t id) {
    member_event::Connected connected;
    connected.connection = ConnectionId{id};
    connected.nonce = std::string(kNonceSize, 'c');
    connected.key = std::string(kDigestSize, 'k');
    connected.same_process = true;
    step(connected);
    hear(id, greeting_of(*options_.place));
    hear(id, Welcome{MemberIndex{0}, 1, ""});
  }
};

TEST_F(SuccessorTest, TheFirstOneTakesTheRoleAtOnceAndDoesNotSearch) {
  options_.place = 0;
  begin();
  EXPECT_EQ(count<member_effect::TakeRole>(), 1u);
  EXPECT_EQ(count<member_effect::Search>(), 0u);
}

TEST_F(SuccessorTest, TheNextOneTakesTheRoleSoonAfterTheCoordinatorIsLost) {
  options_.place = 1;
  begin();
  be_prepared(1, 0);
  lose(1);
  EXPECT_TRUE(last<member_effect::Search>()->all_successors);
  pass(kTakeoverGrace - Duration(100));
  EXPECT_EQ(count<member_effect::TakeRole>(), 0u);
  pass(Duration(400));
  ASSERT_EQ(count<member_effect::TakeRole>(), 1u);
  EXPECT_EQ(last<member_effect::TakeRole>()->epoch, 1u);
  EXPECT_EQ(last<member_effect::TakeRole>()->lost_node, NodeIndex{0});
}

TEST_F(SuccessorTest, WhereNobodyListensTheNextOneLeadsAfterAShortPatience) {
  options_.place = 1;
  begin();
  for (int second = 0; second < 4; ++second) {
    EXPECT_EQ(count<member_effect::TakeRole>(), 0u);
    step(member_event::SearchedRound{{0}, {}});
    pass(std::chrono::seconds(1));
  }
  pass(Duration(300));
  ASSERT_EQ(count<member_effect::TakeRole>(), 1u);
  EXPECT_EQ(last<member_effect::TakeRole>()->lost_node, std::nullopt);  // it may be late
}

TEST_F(SuccessorTest, OneThatGreetedAndIsClosedNowIsGone) {
  options_.place = 1;
  begin();
  connect(1);
  hear(1, greeting_of(0));
  lose(1);
  step(member_event::SearchedRound{{}, {kFirstServer}});
  pass(kTakeoverGrace + Duration(300));
  ASSERT_EQ(count<member_effect::TakeRole>(), 1u);
  EXPECT_EQ(last<member_effect::TakeRole>()->lost_node, NodeIndex{0});
}

TEST_F(SuccessorTest, ADoorThatClosedBeforeAWordAndIsClosedNowIsGone) {
  options_.place = 1;
  begin();
  connect(1);
  lose(1);
  pass(kTakeoverGrace + Duration(300));
  EXPECT_EQ(count<member_effect::TakeRole>(), 0u);
  step(member_event::SearchedRound{{}, {kFirstServer}});
  pass(kTakeoverGrace + Duration(300));
  ASSERT_EQ(count<member_effect::TakeRole>(), 1u);
  EXPECT_EQ(last<member_effect::TakeRole>()->lost_node, NodeIndex{0});
}

TEST_F(SuccessorTest, TellsTheNextCoordinatorWhoIsGone) {
  begin();
  connect(1);
  hear(1, greeting_of(0));
  lose(1);
  step(member_event::SearchedRound{{0, 1}, {kFirstServer, {"10.0.0.2", 12000}}});
  connect(2, "10.0.0.2");
  hear(2, greeting_of(1));
  EXPECT_EQ(std::get<Join>(said_.back()).lost, std::vector<NodeIndex>{NodeIndex{0}});
}

TEST_F(SuccessorTest, AKernelThatIsSilentAfterTheGreetingIsGoneAndBeforeItMayBeAnything) {
  begin();
  connect(1);
  step(member_event::Stalled{ConnectionId{1}, "5 s without acknowledgement"});
  connect(2);
  hear(2, greeting_of(1));
  EXPECT_TRUE(std::get<Join>(said_.back()).lost.empty());
  step(member_event::Stalled{ConnectionId{2}, "5 s without acknowledgement"});
  connect(3, "10.0.0.3");
  hear(3, greeting_of(2));
  EXPECT_EQ(std::get<Join>(said_.back()).lost, std::vector<NodeIndex>{NodeIndex{1}});
}

TEST_F(SuccessorTest, OneThatIsFoundAgainInTimeKeepsTheRole) {
  options_.place = 1;
  begin();
  be_prepared(1, 0);
  lose(1);
  pass(kAvoidAfterLoss);
  be_prepared(2, 0);
  pass(std::chrono::seconds(5));
  EXPECT_EQ(count<member_effect::TakeRole>(), 0u);
}

TEST_F(SuccessorTest, SaysInItsNextJoinWhatItAcknowledged) {
  begin();
  be_prepared(1, 0);
  lose(1);
  connect(2, "10.0.0.2");
  hear(2, greeting_of(1));
  const auto& join = std::get<Join>(said_.back());
  ASSERT_EQ(join.acknowledged.size(), 1u);
  EXPECT_EQ(join.acknowledged[0].generation, generation_of(0));
}

TEST_F(SuccessorTest, NeverFollowsAnOlderCoordinatorThanOneItAcknowledged) {
  begin();
  be_prepared(2, 1);
  lose(2);
  connect(3, "10.0.0.3");
  hear(3, greeting_of(0));
  EXPECT_TRUE(is_closed(3));
  EXPECT_TRUE(has_note("is an older coordinator than one whose roster was acknowledged"));
}

TEST_F(SuccessorTest, BelievesNoGenerationOfAnotherEpoch) {
  begin();
  connect(1);
  hear(1, greeting_of(0));
  hear(1, Welcome{MemberIndex{0}, 1, ""});
  hear(1, MemberEngineTest::prepare(), generation_of(1));
  EXPECT_TRUE(is_closed(1));
  EXPECT_TRUE(has_note("out of turn"));
}

TEST_F(SuccessorTest, ACoordinatorThatGathersLongLooksForRivalsAndTellsItsServer) {
  options_.place = 0;
  begin();
  sit_down_at_own_server(1);
  EXPECT_EQ(count<member_effect::Search>(), 0u);
  pass(kRivalsAfter + Duration(300));
  EXPECT_EQ(count<member_effect::Search>(), 1u);
  connect(2, "10.0.0.9");
  hear(2, greeting_of(1));
  EXPECT_EQ(count<member_effect::RivalMet>(), 0u);  // anybody can greet
  EXPECT_TRUE(std::holds_alternative<Join>(said_.back()));
  hear(2, Welcome{MemberIndex{0}, 1, ""});
  EXPECT_EQ(last<member_effect::RivalMet>()->epoch, 1u);
  EXPECT_TRUE(is_closed(2));
  EXPECT_FALSE(is_closed(1));
}

TEST_F(SuccessorTest, ARivalThatCannotProveItselfIsNone) {
  options_.place = 0;
  begin(AuthenticationMethod::kKey);
  sit_down_at_own_server(1);
  pass(kRivalsAfter + Duration(300));
  connect(2, "10.0.0.9");
  Greeting greeting = greeting_of(1);
  greeting.method = AuthenticationMethod::kKey;
  hear(2, greeting);
  hear(2, Welcome{MemberIndex{0}, 1, std::string(kDigestSize, 'x')});
  EXPECT_TRUE(is_closed(2));
  EXPECT_EQ(count<member_effect::RivalMet>(), 0u);
  EXPECT_TRUE(has_note("could not prove itself"));
}

TEST_F(SuccessorTest, ARefusalWithoutProofIsNoLossOfTheCoordinator) {
  options_.place = 1;
  begin(AuthenticationMethod::kKey);
  connect(1);
  Greeting greeting = greeting_of(0);
  greeting.method = AuthenticationMethod::kKey;
  hear(1, greeting);
  hear(1, Refused{ErrorCode::kPermissionDenied, "not you", ""});
  pass(std::chrono::seconds(10));
  EXPECT_EQ(count<member_effect::TakeRole>(), 0u);
}

TEST_F(SuccessorTest, OneThatGreetsAndBreaksOffCannotStopTheSuccession) {
  options_.place = 1;
  begin(AuthenticationMethod::kKey);
  connect(1);
  Greeting greeting = greeting_of(2);
  greeting.method = AuthenticationMethod::kKey;
  hear(1, greeting);
  lose(1);
  pass(kFirstPatience + Duration(500));
  EXPECT_EQ(count<member_effect::TakeRole>(), 1u);
}

TEST_F(SuccessorTest, OneThatGaveTheRoleBackFollowsAndDoesNotTakeItAgainAtOnce) {
  options_.place = 0;
  begin();
  sit_down_at_own_server(1);
  lose(1);
  EXPECT_TRUE(last<member_effect::Search>()->all_successors);
  pass(std::chrono::seconds(2));
  EXPECT_EQ(count<member_effect::TakeRole>(), 1u);
  be_prepared(2, 1);
}

TEST_F(SuccessorTest, OneThatGaveTheRoleBackJoinsTheOtherAtOnce) {
  options_.place = 0;
  begin();
  sit_down_at_own_server(1);
  pass(kRivalsAfter + Duration(300));
  connect(2, "10.0.0.9");
  hear(2, greeting_of(1));
  hear(2, Welcome{MemberIndex{0}, 1, ""});
  ASSERT_EQ(count<member_effect::RivalMet>(), 1u);
  lose(1);
  connect(3, "10.0.0.9");
  hear(3, greeting_of(1));
  EXPECT_TRUE(std::holds_alternative<Join>(said_.back()));
  EXPECT_FALSE(is_closed(3));
}

}  // namespace
}  // namespace muster::rendezvous
