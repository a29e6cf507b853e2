#include "rendezvous/member_engine.h"

#include <gtest/gtest.h>

#include "tests/rendezvous/core/fake_digests.h"

namespace muster::rendezvous {
namespace {

constexpr std::string_view kKey = "sixteen bytes or";

class MemberEngineTest : public testing::Test {
 protected:
  void begin(AuthenticationMethod method = AuthenticationMethod::kNone) {
    MemberEngineOptions options;
    options.incarnation = {4242, 0, 0, ""};
    options.self = {NodeIndex{0}, LocalTask{0}, "n0", 1, ""};
    options.method = method;
    options.key = kKey;
    options.session = std::string(kSessionSize, 's');
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
                                 std::string(kDigestSize, 'k')});
  }
  void hear(std::uint64_t id, const Message& message, Generation generation = {}) {
    const std::string bytes = encode(message, generation);
    step(member_event::Received{ConnectionId{id}, bytes});
  }
  static Greeting greeting(AuthenticationMethod method = AuthenticationMethod::kNone) {
    return {{4242, 0, 0, ""}, NodeIndex{0}, 0, method, std::string(kNonceSize, 'n')};
  }
  static Prepare prepare() {
    Roster roster;
    roster.coordinator_address = "127.0.0.1";
    roster.members = {{MemberIndex{0}, {NodeIndex{0}, LocalTask{0}, "n0", 1, ""}, "10.0.0.2"}};
    return {NodeIndex{0}, 0, roster};
  }
  void be_committed() {
    begin();
    connect(1);
    hear(1, greeting());
    hear(1, Welcome{MemberIndex{0}, 1, ""});
    hear(1, prepare(), Generation{1});
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
  std::optional<MemberEngine> engine_;
  std::vector<Message> said_;
  std::vector<MemberEffect> effects_;
  std::string notes_;
};

TEST_F(MemberEngineTest, SearchesJoinsAcknowledgesAndCommits) {
  begin();
  EXPECT_EQ(count<member_effect::Search>(), 1u);
  connect(1);
  hear(1, greeting());
  EXPECT_EQ(count<member_effect::StopSearch>(), 1u);
  EXPECT_TRUE(std::holds_alternative<Join>(said_.back()));
  hear(1, Welcome{MemberIndex{0}, 1, ""});
  hear(1, prepare(), Generation{1});
  EXPECT_TRUE(std::holds_alternative<Ack>(said_.back()));
  EXPECT_EQ(count<member_effect::RosterCommitted>(), 0u);
  hear(1, Commit{}, Generation{1});
  const auto* committed = last<member_effect::RosterCommitted>();
  ASSERT_NE(committed, nullptr);
  EXPECT_EQ(committed->roster.generation, Generation{1});
  EXPECT_EQ(committed->local_address, "10.0.0.2");
  EXPECT_EQ(committed->server_address, "10.0.0.1");
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
  hear(1, prepare(), Generation{1});
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
  hear(1, prepare(), Generation{1});
  hear(1, prepare(), Generation{3});
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
  hear(1, prepare(), Generation{1});
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
