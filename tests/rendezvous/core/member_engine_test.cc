#include "rendezvous/member_engine.h"

#include <gtest/gtest.h>

#include "rendezvous/generation.h"
#include "tests/rendezvous/core/fake_digests.h"

namespace muster::rendezvous {
namespace {

constexpr std::string_view kKey = "sixteen bytes or";

class MemberEngineTest : public testing::Test {
 protected:
  void begin(AuthenticationMethod method = AuthenticationMethod::kNone) {
    MemberEngineOptions options = options_;
    options.incarnation = {4242, 0, 0, ""};
    options.self = {NodeIndex{0}, LocalTask{0}, "n0", 1, ""};
    options.method = method;
    options.key = kKey;
    options.session = std::string(kSessionSize, 's');
    options.wants_members = wants_members_;
    ASSERT_TRUE(check_options(options));
    engine_.emplace(options, fake_digests(), now_);
    take(engine_->begin());
  }
  void step(const MemberEvent& event) { take(engine_->step(event, now_)); }
  void take(MemberEffects effects) {
    for (MemberEffect& effect : effects) {
      if (auto* send = std::get_if<SendFrame>(&effect)) {
        FrameReader reader(kMaxReplyBody);
        reader.push(*send->bytes);
        said_.push_back(*parse(**reader.next()));
      } else if (auto* note = std::get_if<Note>(&effect)) {
        notes_ += note->line + "\n";
      } else {
        effects_.push_back(std::move(effect));
      }
    }
  }
  void pass(Duration time) {
    const TimePoint end = now_ + time;
    while (now_ < end) {
      now_ = std::min(end, std::max(engine_->next_deadline(), now_ + Duration(1)));
      step(member_event::Tick{});
    }
  }
  void connect(std::uint64_t id, std::string address = "10.0.0.1") {
    step(member_event::Connected{ConnectionId{id},
                                 {std::move(address), 12000},
                                 "10.0.0.2",
                                 std::string(kNonceSize, 'c'),
                                 std::string(kDigestSize, 'k'),
                                 false});
  }
  void hear(std::uint64_t id, const Message& message, Generation generation = {}) {
    const std::string bytes = encode(message, generation);
    step(member_event::Received{ConnectionId{id}, bytes});
  }
  static Greeting greeting(AuthenticationMethod method = AuthenticationMethod::kNone) {
    return {{4242, 0, 0, ""}, NodeIndex{0}, 0, method, std::string(kNonceSize, 'n')};
  }
  static Members members() {
    return {{{MemberIndex{0}, {NodeIndex{0}, LocalTask{0}, "n0", 1, ""}, "10.0.0.2"}}};
  }
  static Prepare prepare() {
    return {NodeIndex{0}, 0, SeatSet::all(),
            "127.0.0.1",  1, fake_digests().sha256(encode_body(members()))};
  }
  void hear_roster(std::uint64_t id, Generation generation) {
    hear(id, prepare(), generation);
    hear(id, members(), generation);
  }
  void be_committed() {
    begin();
    connect(1);
    hear(1, greeting());
    hear(1, Welcome{MemberIndex{0}, 1, ""});
    hear_roster(1, Generation{1});
    hear(1, Commit{}, Generation{1});
    ASSERT_EQ(count<member_effect::RosterCommitted>(), 1u);
  }
  template <class Effect>
  std::size_t count() const {
    std::size_t found = 0;
    for (const MemberEffect& effect : effects_) found += std::holds_alternative<Effect>(effect);
    return found;
  }
  template <class Effect>
  const Effect* last() const {
    for (auto effect = effects_.rbegin(); effect != effects_.rend(); ++effect)
      if (const auto* found = std::get_if<Effect>(&*effect)) return found;
    return nullptr;
  }
  std::string end() const {
    const auto* closed = last<member_effect::Closed>();
    return closed == nullptr ? "(not closed)" : closed->error.message();
  }
  bool is_closed(std::uint64_t id) const {
    for (const MemberEffect& effect : effects_) {
      const auto* close = std::get_if<CloseConnection>(&effect);
      if (close != nullptr && close->connection == ConnectionId{id}) return true;
    }
    return false;
  }
  bool has_note(std::string_view text) const { return notes_.find(text) != std::string::npos; }

  TimePoint now_{};
  bool wants_members_ = true;
  MemberEngineOptions options_;  // what a test wants otherwise
  std::optional<MemberEngine> engine_;
  std::vector<Message> said_;
  std::vector<MemberEffect> effects_;
  std::string notes_;
};

// --- Succession
// -----------------------------------------------------------------------------------

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

// --- One coordinator
// ------------------------------------------------------------------------------

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
