#include "rendezvous/server_engine.h"

#include "tests/rendezvous/core/server_engine_fixture.h"

namespace muster::rendezvous {
namespace {

TEST_F(ServerEngineTest, GreetsFirstAndSaysWhoItIs) {
  open(1);
  connect(1);
  const auto& greeting = std::get<Greeting>(last_said(1));
  EXPECT_EQ(greeting.incarnation.job, 4242u);
  EXPECT_EQ(greeting.nonce, std::string(kNonceSize, 1));
}

TEST_F(ServerEngineTest, PreparesWhenAllJoinedAndCommitsWhenAllAcknowledged) {
  open(2);
  join(1, 0);
  EXPECT_TRUE(std::holds_alternative<Welcome>(last_said(1)));
  join(2, 1);
  EXPECT_TRUE(std::holds_alternative<Prepare>(last_said(1)));
  say(1, Ack{}, Generation{1});
  EXPECT_EQ(count<server_effect::Assembled>(), 0u);
  say(2, Ack{}, Generation{1});
  EXPECT_EQ(count<server_effect::Assembled>(), 1u);
  EXPECT_TRUE(std::holds_alternative<Commit>(last_said(1)));
  EXPECT_TRUE(std::holds_alternative<Commit>(last_said(2)));
}

TEST_F(ServerEngineTest, SendsTheListToThoseWhoWantItAndItsDigestToAll) {
  open(2);
  connect(1);
  Join wants = join_of(1, 0);
  wants.wants_members = true;
  say(1, wants);
  join(2, 1);
  const auto& list = std::get<Members>(last_said(1));
  ASSERT_EQ(list.members.size(), 2u);
  EXPECT_EQ(list.members[1].address, "10.0.1.2");
  const auto& prepare = std::get<Prepare>(last_said(2));
  EXPECT_EQ(prepare.members, 2u);
  EXPECT_EQ(prepare.digest, fake_digests().sha256(encode_body(list)));
  for (std::uint64_t id = 1; id <= 2; ++id) say(id, Ack{}, Generation{1});
  const Roster& roster = last<server_effect::Assembled>().roster;
  EXPECT_EQ(roster.digest, prepare.digest);
  EXPECT_EQ(roster.size, 2u);
}

TEST_F(ServerEngineTest, AMemberLostBeforeTheCommitMeansAnotherGeneration) {
  open(2);
  join(1, 0);
  join(2, 1);
  say(1, Ack{}, Generation{1});
  step(server_event::Disconnected{ConnectionId{2}, "reset"});
  join(3, 1);
  say(1, Ack{}, Generation{1});  // of the generation that is over
  say(3, Ack{}, Generation{2});
  EXPECT_EQ(count<server_effect::Assembled>(), 0u);
  say(1, Ack{}, Generation{2});
  EXPECT_EQ(last<server_effect::Assembled>().roster.generation, Generation{2});
  EXPECT_EQ(last<server_effect::Assembled>().roster.members[1].description.pid, 3u);
}

TEST_F(ServerEngineTest, RefusesAStrangerAndALivingDouble) {
  open(2);
  join(1, 0);
  join(2, 7);
  EXPECT_EQ(std::get<Refused>(last_said(2)).reason,
            "node 7 task 0 (n7, pid 2) is not among the 2 expected members");
  EXPECT_TRUE(is_closed(2));
  join(3, 0);
  EXPECT_EQ(std::get<Refused>(last_said(3)).reason,
            "node 0 task 0 (n0, pid 3) comes from 10.0.1.3, but node 0 task 0 (n0, pid 1) came "
            "before from 10.0.1.1 and is alive: two processes have the same place");
  EXPECT_FALSE(is_closed(1));
}

TEST_F(ServerEngineTest, TheSameSessionReplacesItsOldConnection) {
  open(2);
  join(1, 0);
  connect(5);
  Join again = join_of(5, 0);
  again.session = join_of(1, 0).session;
  say(5, again);
  EXPECT_TRUE(is_closed(1));
  EXPECT_TRUE(std::holds_alternative<Welcome>(last_said(5)));
}

TEST_F(ServerEngineTest, ASilentMembersPlaceCanBeTaken) {
  open(2);
  join(1, 0);
  pass(Duration(7000));
  EXPECT_TRUE(has_note("n0 (member 0) has joined and is silent for 6 s"));
  join(2, 0);
  EXPECT_TRUE(is_closed(1));
  EXPECT_TRUE(std::holds_alternative<Welcome>(last_said(2)));
}

TEST_F(ServerEngineTest, TellsWhoIsMissingAndFailsAtTheDeadline) {
  open(4);
  join(1, 0);
  connect(9);
  pass(std::chrono::seconds(15));
  EXPECT_EQ(last<server_effect::AssemblyProgress>().missing.size(), 3u);
  EXPECT_EQ(last<server_effect::AssemblyProgress>().waited, std::chrono::seconds(15));
  pass(std::chrono::minutes(10));
  EXPECT_EQ(last<server_effect::AssemblyFailed>().error.message(),
            "3 of 4 members did not come within 600 s: n[1-3]");
  EXPECT_EQ(std::get<Closing>(last_said(1)).reason,
            "3 of 4 members did not come within 600 s: n[1-3]");
  EXPECT_TRUE(is_closed(1));
  EXPECT_EQ(engine_->next_deadline(), TimePoint::max());
  // Who comes a moment later hears why too.
  join(10, 2);
  EXPECT_EQ(std::get<Refused>(last_said(10)).reason,
            "3 of 4 members did not come within 600 s: n[1-3]");
  EXPECT_TRUE(is_closed(10));
}

TEST_F(ServerEngineTest, OneWhoJoinedAndEndedIsNotWaitedForTillTheDeadline) {
  open(3);
  join(1, 1);
  step(server_event::Disconnected{ConnectionId{1}, "closed"});
  pass(kReturnPatience - Duration(500));
  EXPECT_EQ(count<server_effect::AssemblyFailed>(), 0u);
  pass(Duration(1000));
  ASSERT_EQ(count<server_effect::AssemblyFailed>(), 1u);
  const std::string text = last<server_effect::AssemblyFailed>().error.message();
  EXPECT_NE(text.find("n1"), std::string::npos) << text;
  EXPECT_NE(text.find("did not come back"), std::string::npos) << text;
}

TEST_F(ServerEngineTest, WhereFewerNodesAreAllowedOneThatIsGoneIsDoneWithout) {
  options_.minimum_nodes = 3;
  open(4);
  for (std::uint32_t i = 0; i < 4; ++i) join(i + 1, i);
  step(server_event::Disconnected{ConnectionId{2}, "closed"});
  pass(kReturnPatience + Duration(500));
  EXPECT_EQ(count<server_effect::AssemblyFailed>(), 0u);
  const auto& prepare = std::get<Prepare>(last_said(1));
  EXPECT_EQ(prepare.members, 3u);
  EXPECT_FALSE(prepare.seats.contains(MemberIndex{1}));
  for (const std::uint64_t id : {1, 3, 4}) say(id, Ack{}, Generation{2});
  ASSERT_EQ(count<server_effect::Assembled>(), 1u);
  // Numbered anew: the third node is member 1 of this roster.
  step(server_event::Disconnected{ConnectionId{3}, "closed"});
  EXPECT_EQ(last<server_effect::MemberLost>().member, MemberIndex{1});
}

TEST_F(ServerEngineTest, TheLastCallEndsTheWaitForNodesThatNeverCame) {
  options_.minimum_nodes = 2;
  options_.last_call = std::chrono::seconds(20);
  open(3);
  join(1, 0);
  join(2, 1);
  pass(std::chrono::seconds(19));
  EXPECT_FALSE(std::holds_alternative<Prepare>(last_said(1)));
  pass(std::chrono::seconds(2));
  EXPECT_TRUE(std::holds_alternative<Prepare>(last_said(1)));
  EXPECT_TRUE(has_note("doing without those who have not come: n2"));
}

TEST_F(ServerEngineTest, NamesThoseWhoDoNotAcknowledge) {
  open(2);
  join(1, 0);
  join(2, 1);
  say(1, Ack{}, Generation{1});
  pass(std::chrono::minutes(10));
  EXPECT_EQ(last<server_effect::AssemblyFailed>().error.message(),
            "1 of 2 members joined but did not acknowledge the roster within 600 s: n1");
}

TEST_F(ServerEngineTest, GarbageClosesItsConnectionAndNothingElse) {
  open(1);
  connect(1);
  connect(2);
  step(server_event::Received{ConnectionId{1}, "GET / HTTP/1.1\r\n\r\n"});
  EXPECT_TRUE(is_closed(1));
  EXPECT_TRUE(has_note("closing the connection of 10.0.1.1: not a frame of protocol version 1"));
  say(2, Ping{});
  EXPECT_TRUE(is_closed(2));
  EXPECT_TRUE(has_note("says \"ping\" before it has joined"));
  join(3, 0);
  EXPECT_TRUE(std::holds_alternative<Prepare>(last_said(3)));
}

TEST_F(ServerEngineTest, TheOwnProcessNeverMakesRoomForStrangers) {
  open(1);
  server_event::Accepted own{ConnectionId{1}, std::string(kNonceSize, 1), {}, ""};
  own.same_process = true;
  step(own);
  for (std::uint64_t id = 2; id < 2 + 2 * kMaxUnprovenBase; ++id) connect(id);
  EXPECT_TRUE(is_closed(2));
  pass(kProofDeadline + Duration(500));
  say(1, join_of(1, 0));
  EXPECT_TRUE(std::holds_alternative<Prepare>(last_said(1)));
}

TEST_F(ServerEngineTest, OutOfDescriptorsTheSilentAreClosedSooner) {
  open(1);
  connect(1);
  pass(kSilenceWhenCrowded);
  connect(2);
  step(server_event::OutOfDescriptors{});
  EXPECT_TRUE(is_closed(1));
  EXPECT_FALSE(is_closed(2));
}

TEST_F(ServerEngineTest, ClosesWhoDoesNotProveItselfInTime) {
  open(1);
  connect(1);
  pass(Duration(4999));
  EXPECT_FALSE(is_closed(1));
  pass(Duration(300));
  EXPECT_TRUE(is_closed(1));
}

TEST_F(ServerEngineTest, CapsTheUnprovenAndDropsTheOldest) {
  open(1);
  const std::uint64_t limit = kMaxUnprovenBase + 2;
  for (std::uint64_t id = 1; id <= limit; ++id) connect(id);
  EXPECT_FALSE(is_closed(1));
  connect(limit + 1);
  EXPECT_TRUE(is_closed(1));
  EXPECT_FALSE(is_closed(2));
}

TEST_F(ServerEngineTest, TakesTheRightKeyOnly) {
  open(1, AuthenticationMethod::kKey);
  connect(1);
  Join join = join_of(1, 0);
  const auto greeting = std::get<Greeting>(last_said(1));
  join.proof = prove_join(fake_digests(), "wrong", transcript_of(greeting, join, kServer));
  say(1, join);
  EXPECT_EQ(std::get<Refused>(last_said(1)).reason, "its key is not the one of this job");
  EXPECT_EQ(std::get<Refused>(last_said(1)).proof, "");
  connect(2);
  const auto second = std::get<Greeting>(last_said(2));
  const std::string transcript = transcript_of(second, join, kServer);
  join.proof = prove_join(fake_digests(), kKey, transcript);
  say(2, join);
  const Welcome welcome{MemberIndex{0}, 1, ""};
  const auto& said = said_[ConnectionId{2}];
  EXPECT_EQ(std::get<Welcome>(said[1]).proof,
            prove_welcome(fake_digests(), kKey, transcript, welcome));
}

TEST_F(ServerEngineTest, AReplayedJoinIsRefused) {
  open(1, AuthenticationMethod::kKey);
  connect(1);
  Join join = join_of(1, 0);
  const auto greeting = std::get<Greeting>(last_said(1));
  join.proof = prove_join(fake_digests(), kKey, transcript_of(greeting, join, kServer));
  connect(2);
  say(2, join);
  EXPECT_TRUE(std::holds_alternative<Refused>(last_said(2)));
}

TEST_F(ServerEngineTest, ChecksWhatMungeSays) {
  open(1, AuthenticationMethod::kMunge);
  const auto try_to_join = [this](std::uint64_t id, std::uint32_t uid, const Endpoint& server) {
    connect(id);
    const Join join = join_of(id, 0);
    const auto greeting = std::get<Greeting>(last_said(id));
    const std::string transcript = transcript_of(greeting, join, kServer);
    say(id, join);
    EXPECT_EQ(last<DecodeCredential>().connection, ConnectionId{id});
    const CredentialPayload payload{std::string(kDigestSize, 'k'), server,
                                    fake_digests().sha256(transcript)};
    step(
        server_event::CredentialDecoded{ConnectionId{id}, DecodedCredential{uid, encode(payload)}});
  };
  try_to_join(1, 2000, kServer);
  EXPECT_EQ(std::get<Refused>(last_said(1)).reason,
            "credential of uid 2000, the job belongs to 1000");
  try_to_join(2, 1000, {"10.6.6.6", 12000});
  EXPECT_EQ(std::get<Refused>(last_said(2)).reason,
            "credential made for 10.6.6.6:12000, used at 10.0.0.1:12000");
  try_to_join(3, 1000, kServer);
  EXPECT_TRUE(std::holds_alternative<Prepare>(last_said(3)));
}

TEST_F(ServerEngineTest, OneStillBeingProvenAtTheCommitHearsThatItIsTooLate) {
  open(1, AuthenticationMethod::kMunge);
  connect(2);
  say(2, join_of(2, 0));
  step(server_event::Accepted{ConnectionId{1}, std::string(kNonceSize, 'n'), {}, "", true});
  say(1, join_of(1, 0));
  say(1, Ack{}, Generation{1});
  ASSERT_EQ(count<server_effect::Assembled>(), 1u);
  EXPECT_EQ(std::get<Refused>(last_said(2)).reason, "it comes too late: the roster is complete");
  EXPECT_TRUE(is_closed(2));
}

TEST_F(ServerEngineTest, ACredentialThatDoesNotDecodeIsRefused) {
  open(1, AuthenticationMethod::kMunge);
  connect(1);
  say(1, join_of(1, 0));
  step(server_event::CredentialDecoded{
      ConnectionId{1}, failure(ErrorCode::kPermissionDenied, "munge: expired credential")});
  EXPECT_EQ(std::get<Refused>(last_said(1)).reason, "munge: expired credential");
}

TEST_F(ServerEngineTest, AMemberInTheSameProcessNeedsNoProof) {
  open(1, AuthenticationMethod::kMunge);
  step(server_event::Accepted{ConnectionId{1}, std::string(kNonceSize, 'n'), {}, "", true});
  EXPECT_EQ(std::get<Greeting>(last_said(1)).method, AuthenticationMethod::kNone);
  say(1, join_of(1, 0));
  EXPECT_TRUE(std::holds_alternative<Prepare>(last_said(1)));
}

TEST_F(ServerEngineTest, CarriesMessagesBothWays) {
  assemble(2);
  say(2, ApplicationMessage{"up"}, Generation{1});
  EXPECT_EQ(last<server_effect::MessageArrived>().bytes, "up");
  step(server_event::SendTo{MemberIndex{0}, "down"});
  EXPECT_EQ(std::get<ApplicationMessage>(last_said(1)).bytes, "down");
  step(server_event::SendToAll{"all"});
  EXPECT_EQ(std::get<ApplicationMessage>(last_said(2)).bytes, "all");
}

TEST_F(ServerEngineTest, IgnoresWordsOfAnOlderGenerationAndRefusesThoseToCome) {
  assemble(2);
  say(1, ApplicationMessage{"old"}, Generation{0});
  EXPECT_EQ(count<server_effect::MessageArrived>(), 0u);
  EXPECT_FALSE(is_closed(1));
  say(1, ApplicationMessage{"new"}, Generation{2});
  EXPECT_TRUE(is_closed(1));
  EXPECT_EQ(last<server_effect::MemberLost>().detail,
            "broke the protocol: speaks of a generation to come");
}

TEST_F(ServerEngineTest, ALossIsToldAndFailsOpenCollectives) {
  assemble(3);
  say(1, Arrive{CollectiveKind::kBarrier, "b", {}, ""}, Generation{1});
  step(server_event::Disconnected{ConnectionId{2}, "connection reset by peer"});
  EXPECT_EQ(last<server_effect::MemberLost>().member, MemberIndex{1});
  EXPECT_FALSE(last<server_effect::MemberLost>().unacknowledged);
  EXPECT_EQ(std::get<CollectiveFailed>(last_said(1)).reason,
            "barrier \"b\": n1 (member 1) is lost: connection reset by peer");
  step(server_event::Stalled{ConnectionId{3}, "silent for 10 s"});
  EXPECT_TRUE(last<server_effect::MemberLost>().unacknowledged);
  EXPECT_TRUE(is_closed(3));
}

TEST_F(ServerEngineTest, SilenceMakesSuspectButNeverLost) {
  assemble(2);
  pass(std::chrono::minutes(2));
  EXPECT_EQ(count<server_effect::MemberLost>(), 0u);
  EXPECT_EQ(count<server_effect::MemberSuspect>(), 2u * 8u);
  say(1, Ping{});
  EXPECT_TRUE(has_note("n0 (member 0) speaks again after 120 s"));
}

TEST_F(ServerEngineTest, AfterAGapOfItsOwnItJudgesNobody) {
  assemble(1);
  now_ += std::chrono::minutes(5);
  step(server_event::Tick{});
  EXPECT_EQ(count<server_effect::MemberSuspect>(), 0u);
  pass(Duration(5900));
  EXPECT_EQ(count<server_effect::MemberSuspect>(), 0u);
  pass(Duration(400));
  EXPECT_EQ(count<server_effect::MemberSuspect>(), 1u);
}

TEST_F(ServerEngineTest, AGapDoesNotUseUpTheDeadline) {
  open(2);
  now_ += std::chrono::minutes(20);
  step(server_event::Tick{});
  EXPECT_EQ(count<server_effect::AssemblyFailed>(), 0u);
  pass(std::chrono::minutes(10));
  EXPECT_EQ(count<server_effect::AssemblyFailed>(), 1u);
}

TEST_F(ServerEngineTest, PingsAQuietMember) {
  assemble(1);
  const std::size_t before = said_[ConnectionId{1}].size();
  pass(Duration(3500));
  EXPECT_GE(said_[ConnectionId{1}].size(), before + 2);
  EXPECT_TRUE(std::holds_alternative<Ping>(last_said(1)));
}

TEST_F(ServerEngineTest, AnswersALeave) {
  assemble(2);
  say(1, Leave{}, Generation{1});
  EXPECT_TRUE(std::holds_alternative<Left>(last_said(1)));
  EXPECT_TRUE(is_closed(1));
  EXPECT_EQ(last<server_effect::MemberLeft>().member, MemberIndex{0});
  EXPECT_EQ(count<server_effect::MemberLost>(), 0u);
}

TEST_F(ServerEngineTest, ClosesWithAReason) {
  assemble(2);
  step(server_event::Close{"the job is done"});
  EXPECT_EQ(std::get<Closing>(last_said(1)).reason, "the job is done");
  EXPECT_TRUE(is_closed(2));
  EXPECT_EQ(engine_->next_deadline(), TimePoint::max());
  step(server_event::Close{"again"});
  EXPECT_EQ(std::get<Closing>(last_said(1)).reason, "the job is done");
}

TEST_F(ServerEngineTest, TakesNobodyAfterTheCommit) {
  assemble(2);
  step(server_event::Disconnected{ConnectionId{2}, "reset"});
  join(3, 1);
  EXPECT_EQ(std::get<Refused>(last_said(3)).reason,
            "node 1 task 0 (n1, pid 3) comes too late: generation 1 has begun");
}

TEST_F(ServerEngineTest, OneThatWasDoneWithoutIsLateAndNoStranger) {
  options_.minimum_nodes = 2;
  open(3);
  join(1, 0);
  join(2, 1);
  pass(options_.last_call + Duration(1));
  say(1, Ack{}, Generation{1});
  say(2, Ack{}, Generation{1});
  ASSERT_EQ(count<server_effect::Assembled>(), 1u);
  join(3, 2);
  EXPECT_EQ(std::get<Refused>(last_said(3)).code, ErrorCode::kUnavailable);
  EXPECT_EQ(std::get<Refused>(last_said(3)).reason,
            "node 2 task 0 (n2, pid 3) comes too late: the roster is complete without it");
  join(4, 3);
  EXPECT_EQ(std::get<Refused>(last_said(4)).code, ErrorCode::kInvalidArgument);
}

TEST_F(ServerEngineTest, RefusesOptionsThatCannotWork) {
  ServerEngineOptions options;
  EXPECT_EQ(check_options(options).error().message(),
            "nobody is expected: give at least one member");
  options.expected = {{NodeIndex{1}, LocalTask{2}, "a"}, {NodeIndex{1}, LocalTask{2}, "b"}};
  EXPECT_EQ(check_options(options).error().message(), "node 1 task 2 is expected twice");
  options.expected.pop_back();
  options.method = AuthenticationMethod::kKey;
  options.key = "short";
  EXPECT_EQ(check_options(options).error().message(), "the key has 5 bytes, not at least 16");
}

}  // namespace
}  // namespace muster::rendezvous
