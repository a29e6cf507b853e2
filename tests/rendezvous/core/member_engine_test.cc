#include "rendezvous/member_engine.h"

#include "tests/rendezvous/core/member_engine_fixture.h"

namespace muster::rendezvous {
namespace {

TEST_F(MemberEngineTest, SearchesJoinsAcknowledgesAndCommits) {
  begin();
  EXPECT_EQ(count<member_effect::Search>(), 1u);
  connect(1);
  hear(1, greeting());
  EXPECT_EQ(count<member_effect::StopSearch>(), 1u);
  EXPECT_TRUE(std::holds_alternative<Join>(said_.back()));
  hear(1, Welcome{MemberIndex{0}, 1, ""});
  hear_roster(1, Generation{1});
  EXPECT_TRUE(std::holds_alternative<Ack>(said_.back()));
  EXPECT_EQ(count<member_effect::RosterCommitted>(), 0u);
  hear(1, Commit{}, Generation{1});
  const auto* committed = last<member_effect::RosterCommitted>();
  ASSERT_NE(committed, nullptr);
  EXPECT_EQ(committed->roster.generation, Generation{1});
  EXPECT_EQ(committed->local_address, "10.0.0.2");
  EXPECT_EQ(committed->server_address, "10.0.0.1");
}

TEST_F(MemberEngineTest, AcknowledgesTheDigestAloneWhenItWantsNoList) {
  wants_members_ = false;
  begin();
  connect(1);
  hear(1, greeting());
  EXPECT_FALSE(std::get<Join>(said_.back()).wants_members);
  hear(1, Welcome{MemberIndex{0}, 1, ""});
  hear(1, prepare(), Generation{1});
  EXPECT_TRUE(std::holds_alternative<Ack>(said_.back()));
  hear(1, Commit{}, Generation{1});
  const auto* committed = last<member_effect::RosterCommitted>();
  ASSERT_NE(committed, nullptr);
  EXPECT_EQ(committed->roster.size, 1u);
  EXPECT_EQ(committed->roster.digest, prepare().digest);
  EXPECT_TRUE(committed->roster.members.empty());
}

TEST_F(MemberEngineTest, AcknowledgesNothingBeforeItHoldsTheListItWants) {
  begin();
  connect(1);
  hear(1, greeting());
  hear(1, Welcome{MemberIndex{0}, 1, ""});
  hear(1, prepare(), Generation{1});
  EXPECT_TRUE(std::holds_alternative<Join>(said_.back()));
  hear(1, members(), Generation{1});
  EXPECT_TRUE(std::holds_alternative<Ack>(said_.back()));
}

TEST_F(MemberEngineTest, LeavesACoordinatorWhoseListIsNotThePreparedOne) {
  begin();
  connect(1);
  hear(1, greeting());
  hear(1, Welcome{MemberIndex{0}, 1, ""});
  hear(1, prepare(), Generation{1});
  Members other = members();
  other.members[0].address = "10.0.0.66";
  hear(1, other, Generation{1});
  EXPECT_TRUE(std::holds_alternative<Join>(said_.back()));
  EXPECT_TRUE(is_closed(1));
  EXPECT_TRUE(has_note("another list than was prepared"));
}

TEST_F(MemberEngineTest, LeavesACoordinatorThatCommitsBeforeItSentTheList) {
  begin();
  connect(1);
  hear(1, greeting());
  hear(1, Welcome{MemberIndex{0}, 1, ""});
  hear(1, prepare(), Generation{1});
  hear(1, Commit{}, Generation{1});
  EXPECT_TRUE(is_closed(1));
  EXPECT_EQ(count<member_effect::RosterCommitted>(), 0u);
}

TEST_F(MemberEngineTest, WalksOnFromStrangersWithoutAWord) {
  begin();
  for (std::uint64_t id = 1; id <= 4; ++id) connect(id, "10.0.0." + std::to_string(id));
  Greeting other_job = greeting();
  other_job.incarnation.job = 17;
  Greeting other_node = greeting();
  other_node.node = NodeIndex{5};
  hear(1, other_job);
  hear(2, other_node);
  step(member_event::Received{ConnectionId{3}, "SSH-2.0-OpenSSH_9.2p1 Debian\r\n"});
  hear(4, greeting(AuthenticationMethod::kMunge));
  EXPECT_TRUE(is_closed(1) && is_closed(2) && is_closed(3) && is_closed(4));
  EXPECT_TRUE(said_.empty());
  EXPECT_TRUE(has_note("10.0.0.1:12000 serves 17.0\n"));
  EXPECT_TRUE(has_note("10.0.0.2:12000 runs on node 5, not on node 0"));
  EXPECT_TRUE(has_note("10.0.0.4:12000 asks for another kind of proof than ours"));
}

TEST_F(MemberEngineTest, ChoosesOneAndClosesTheOthers) {
  begin();
  connect(1);
  connect(2);
  hear(2, greeting());
  EXPECT_TRUE(is_closed(1));
  connect(3);
  EXPECT_TRUE(is_closed(3));
  EXPECT_EQ(said_.size(), 1u);
}

TEST_F(MemberEngineTest, WrapsAFreshKeyForMunge) {
  begin(AuthenticationMethod::kMunge);
  connect(1);
  hear(1, greeting(AuthenticationMethod::kMunge));
  EXPECT_TRUE(said_.empty());
  const auto* encode_credential = last<member_effect::EncodeCredential>();
  ASSERT_NE(encode_credential, nullptr);
  const auto payload = parse_credential_payload(encode_credential->payload);
  ASSERT_TRUE(payload);
  EXPECT_EQ(payload->key, std::string(kDigestSize, 'k'));
  EXPECT_EQ(payload->server, (Endpoint{"10.0.0.1", 12000}));
  step(member_event::CredentialEncoded{ConnectionId{1}, std::string("MUNGE:x:")});
  EXPECT_EQ(std::get<Join>(said_.back()).proof, "MUNGE:x:");
}

TEST_F(MemberEngineTest, EndsWhenMungeDoesNotWork) {
  begin(AuthenticationMethod::kMunge);
  connect(1);
  hear(1, greeting(AuthenticationMethod::kMunge));
  step(member_event::CredentialEncoded{ConnectionId{1},
                                       failure(ErrorCode::kUnavailable, "munge: no socket")});
  EXPECT_EQ(end(), "munge: no socket");
}

TEST_F(MemberEngineTest, DoesNotBelieveAWelcomeWithoutProofAndGoesElsewhere) {
  begin(AuthenticationMethod::kKey);
  connect(1);
  hear(1, greeting(AuthenticationMethod::kKey));
  hear(1, Welcome{MemberIndex{0}, 1, std::string(kDigestSize, 'x')});
  EXPECT_TRUE(is_closed(1));
  EXPECT_TRUE(has_note("10.0.0.1:12000 could not prove itself; searching again"));
  EXPECT_EQ(count<member_effect::Search>(), 2u);
  connect(2);
  hear(2, greeting(AuthenticationMethod::kKey));
  EXPECT_TRUE(is_closed(2));  // left alone for a while
  pass(kAvoidAfterBadProof);
  connect(3);
  hear(3, greeting(AuthenticationMethod::kKey));
  EXPECT_FALSE(is_closed(3));
}

TEST_F(MemberEngineTest, OnlyAProvenRefusalIsFinal) {
  begin(AuthenticationMethod::kKey);
  connect(1);
  hear(1, greeting(AuthenticationMethod::kKey));
  hear(1, Refused{ErrorCode::kInvalidArgument, "go away", ""});
  EXPECT_EQ(end(), "(not closed)");
  connect(2, "10.0.0.9");
  hear(2, greeting(AuthenticationMethod::kKey));
  const auto& join = std::get<Join>(said_.back());
  const std::string transcript =
      transcript_of(greeting(AuthenticationMethod::kKey), join, {"10.0.0.9", 12000});
  Refused refused{ErrorCode::kInvalidArgument, "not expected", ""};
  refused.proof = prove_refusal(fake_digests(), kKey, transcript, refused);
  hear(2, refused);
  EXPECT_EQ(end(), "refused by 10.0.0.9:12000: not expected");
}

TEST_F(MemberEngineTest, SearchesAgainWhenTheConnectionIsLostBeforeTheRoster) {
  begin();
  connect(1);
  hear(1, greeting());
  hear(1, Welcome{MemberIndex{0}, 1, ""});
  hear_roster(1, Generation{1});
  step(member_event::Disconnected{ConnectionId{1}, "reset"});
  EXPECT_FALSE(is_closed(1));
  EXPECT_EQ(count<member_effect::Search>(), 2u);
  EXPECT_EQ(end(), "(not closed)");
}

TEST_F(MemberEngineTest, TakesTheNewestPreparationOnly) {
  begin();
  connect(1);
  hear(1, greeting());
  hear(1, Welcome{MemberIndex{0}, 1, ""});
  hear_roster(1, Generation{1});
  hear_roster(1, Generation{3});
  hear(1, Commit{}, Generation{1});
  EXPECT_EQ(count<member_effect::RosterCommitted>(), 0u);
  hear(1, Commit{}, Generation{3});
  EXPECT_EQ(last<member_effect::RosterCommitted>()->roster.generation, Generation{3});
}

TEST_F(MemberEngineTest, SaysAtTheDeadlineHowFarItCame) {
  begin();
  step(member_event::Tick{});
  pass(std::chrono::minutes(10));
  EXPECT_EQ(end(), "no coordinator on node 0 was found within 600 s");
  EXPECT_EQ(engine_->next_deadline(), TimePoint::max());
}

TEST_F(MemberEngineTest, TheDeadlineNamesTheLastTry) {
  begin();
  connect(1);
  Greeting other = greeting();
  other.incarnation.job = 17;
  hear(1, other);
  pass(std::chrono::minutes(10));
  EXPECT_EQ(end(),
            "no coordinator on node 0 was found within 600 s; the last try: 10.0.0.1:12000 serves "
            "17.0");
}

TEST_F(MemberEngineTest, TellsTheCoordinatorsReason) {
  begin();
  connect(1);
  hear(1, greeting());
  hear(1, Welcome{MemberIndex{0}, 2, ""});
  hear(1, Closing{ErrorCode::kTimeout, "1 of 2 members did not come within 600 s: n1"});
  EXPECT_EQ(end(), "1 of 2 members did not come within 600 s: n1");
}

TEST_F(MemberEngineTest, ALossAfterTheRosterEndsTheSessionAndItsOperations) {
  be_committed();
  step(member_event::Start{RequestId{1}, operation::Get{"k"}, Duration(1000)});
  step(member_event::Stalled{ConnectionId{1}, "10 s without acknowledgement"});
  EXPECT_EQ(end(),
            "the connection to the coordinator at 10.0.0.1:12000 is lost: 10 s without "
            "acknowledgement");
  EXPECT_EQ(count<member_effect::Completed>(), 1u);
  EXPECT_TRUE(is_closed(1));
}

TEST_F(MemberEngineTest, AnOperationAfterTheEndFailsAtOnce) {
  be_committed();
  step(member_event::Disconnected{ConnectionId{1}, "reset"});
  step(member_event::Start{RequestId{1}, operation::Get{"k"}, Duration(1000)});
  EXPECT_EQ(count<member_effect::Completed>(), 1u);
}

TEST_F(MemberEngineTest, KeepsEarlyMessagesForTheRoster) {
  begin();
  step(member_event::Send{"early"});
  connect(1);
  hear(1, greeting());
  hear(1, Welcome{MemberIndex{0}, 1, ""});
  hear_roster(1, Generation{1});
  hear(1, Commit{}, Generation{1});
  EXPECT_EQ(std::get<ApplicationMessage>(said_.back()).bytes, "early");
}

TEST_F(MemberEngineTest, TellsTheCoordinatorsSilenceAndItsEnd) {
  be_committed();
  pass(Duration(6500));
  EXPECT_EQ(count<member_effect::CoordinatorSilent>(), 1u);
  pass(Duration(60000));
  EXPECT_EQ(count<member_effect::CoordinatorSilent>(), 1u);
  hear(1, Ping{});
  EXPECT_FALSE(last<member_effect::CoordinatorSilent>()->silent);
  EXPECT_EQ(end(), "(not closed)");
}

TEST_F(MemberEngineTest, PingsWhenItHasNothingToSay) {
  be_committed();
  const std::size_t before = said_.size();
  pass(Duration(2600));
  EXPECT_EQ(said_.size(), before + 2);
  EXPECT_TRUE(std::holds_alternative<Ping>(said_.back()));
}

TEST_F(MemberEngineTest, LeavesWithAnAnswer) {
  be_committed();
  step(member_event::Start{RequestId{1}, operation::Get{"k"}, Duration(1000)});
  step(member_event::LeaveMeeting{Duration(2000)});
  EXPECT_EQ(count<member_effect::Completed>(), 1u);
  EXPECT_TRUE(std::holds_alternative<Leave>(said_.back()));
  hear(1, Left{});
  EXPECT_TRUE(last<member_effect::LeftMeeting>()->status);
  EXPECT_EQ(end(), "(not closed)");
  EXPECT_EQ(engine_->next_deadline(), TimePoint::max());
}

TEST_F(MemberEngineTest, LeavesWithoutAnAnswerAtItsTimeLimit) {
  be_committed();
  now_ += std::chrono::minutes(30);  // long after the join's deadline
  step(member_event::LeaveMeeting{Duration(2000)});
  pass(Duration(1999));
  EXPECT_EQ(count<member_effect::LeftMeeting>(), 0u);
  pass(Duration(1));
  EXPECT_EQ(last<member_effect::LeftMeeting>()->status.error().code(), ErrorCode::kTimeout);
}

TEST_F(MemberEngineTest, LeavesTheSearchAtOnce) {
  begin();
  step(member_event::LeaveMeeting{Duration(2000)});
  EXPECT_TRUE(last<member_effect::LeftMeeting>()->status);
  EXPECT_EQ(count<member_effect::StopSearch>(), 1u);
}

TEST_F(MemberEngineTest, DismissesACandidateThatDoesNotGreet) {
  begin();
  connect(1);
  pass(Duration(5500));
  EXPECT_TRUE(is_closed(1));
  EXPECT_TRUE(has_note("did not greet within 5 s"));
}

TEST_F(MemberEngineTest, GivesUpOnAServerThatDoesNotAnswerTheJoin) {
  begin();
  connect(1);
  hear(1, greeting());
  pass(Duration(30500));
  EXPECT_TRUE(is_closed(1));
  EXPECT_EQ(count<member_effect::Search>(), 2u);
}

TEST_F(MemberEngineTest, AHopelessSearchEndsTheSession) {
  begin();
  step(member_event::SearchFailed{Error(ErrorCode::kNotFound, "no such host: n0")});
  EXPECT_EQ(end(), "no such host: n0");
}

}  // namespace
}  // namespace muster::rendezvous
