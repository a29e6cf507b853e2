// Members and a server find each other over real sockets.
#include <gtest/gtest.h>

#include "rendezvous/sockets.h"
#include "tests/rendezvous/shells/meeting.h"

namespace muster::rendezvous {
namespace {

TEST(Assembly, OfThirtyTwoMembersGivesAllTheSameRoster) {
  Meeting meeting(expected_members(4, 8));
  ASSERT_TRUE(meeting.assemble());
  const Roster& roster = *meeting.observed.roster;
  ASSERT_EQ(roster.members.size(), 32u);
  EXPECT_EQ(roster.members[0].address, "");
  EXPECT_EQ(roster.members[31].address, "127.0.0.1");
  EXPECT_EQ(roster.members[31].description.host, "host3");
  EXPECT_EQ(roster.members[31].description.facts, "facts");
  EXPECT_EQ(roster.coordinator_address, "127.0.0.1");
  for (const auto& member : meeting.members) EXPECT_EQ(*member->roster, roster);
  EXPECT_EQ(meeting.members[0]->session->coordinator_address(), "");
  EXPECT_EQ(meeting.members[31]->session->coordinator_address(), "127.0.0.1");
  EXPECT_EQ(meeting.members[31]->session->local_address(), "127.0.0.1");
}

TEST(Assembly, WorksWithoutAuthentication) {
  Meeting meeting(expected_members(3));
  meeting.server_options.authentication = {AuthenticationMethod::kNone, "", ""};
  meeting.session_options.authentication = meeting.server_options.authentication;
  EXPECT_TRUE(meeting.assemble());
}

TEST(Assembly, WaitsForALateServer) {
  Meeting meeting(expected_members(2));
  RecordingMember& member = meeting.join(1);
  EXPECT_FALSE(meeting.run_until([&] { return member.roster || member.closed; },
                                 std::chrono::milliseconds(100)));
  ASSERT_TRUE(meeting.open_server());
  const TimePoint opened = Clock::now();
  meeting.join_local(0);
  ASSERT_TRUE(meeting.all_have_roster());
  // Back-off has grown to 160 ms at most by then, plus jitter.
  EXPECT_LT(Clock::now() - opened, std::chrono::seconds(1));
}

TEST(Assembly, PassesOverAnotherJobOnTheFirstPort) {
  Meeting other(expected_members(2));
  Meeting meeting(expected_members(2));
  other.server_options.ports = meeting.server_options.ports;
  ASSERT_TRUE(other.open_server());
  // One loop drives both servers.
  RecordingServer stranger;
  auto server = Server::open(meeting.loop, other.server_options, stranger);
  ASSERT_TRUE(server) << server.error().message();
  EXPECT_EQ((*server)->port(), meeting.server_options.ports[1]);
  ASSERT_TRUE(meeting.assemble());
  EXPECT_EQ(meeting.server->port(), meeting.server_options.ports[2]);
  const std::string id = to_string(other.server_options.incarnation);
  EXPECT_TRUE(meeting.members[1]->noted("serves " + id));
}

TEST(Assembly, PassesOverASilentListenerOnTheFirstPort) {
  Meeting meeting(expected_members(2));
  const auto silent = listen_on("", meeting.server_options.ports[0]);
  ASSERT_TRUE(silent);
  const TimePoint start = Clock::now();
  ASSERT_TRUE(meeting.assemble());
  EXPECT_EQ(meeting.server->port(), meeting.server_options.ports[1]);
  EXPECT_LT(Clock::now() - start, std::chrono::seconds(1));
}

TEST(Assembly, FindsTheServerOverIpv6) {
  if (!listen_on("::1", 0)) GTEST_SKIP() << "this machine has no IPv6 loopback";
  Meeting meeting(expected_members(2));
  meeting.session_options.successors = {{NodeIndex{}, {"::1"}}};
  ASSERT_TRUE(meeting.assemble());
  EXPECT_EQ(meeting.observed.roster->members[1].address, "::1");
  EXPECT_EQ(meeting.members[1]->session->coordinator_address(), "::1");
}

TEST(Assembly, NeedsNoHostOnTheCoordinatorsOwnNode) {
  Meeting meeting(expected_members(1, 2));
  meeting.session_options.successors = {{NodeIndex{}, {}}};
  EXPECT_TRUE(meeting.assemble());
}

TEST(Assembly, TriesTheNextAddressWhenTheFirstLeadsNowhere) {
  Meeting meeting(expected_members(2));
  // TEST-NET-1: routers drop it or say so; either way nobody answers.
  meeting.session_options.successors = {{NodeIndex{}, {"192.0.2.1", "127.0.0.1"}}};
  EXPECT_TRUE(meeting.assemble());
}

TEST(Assembly, NamesTheMissingAtTheDeadline) {
  Meeting meeting(expected_members(4));
  meeting.server_options.assembly_deadline = std::chrono::milliseconds(400);
  meeting.server_options.progress_interval = std::chrono::milliseconds(100);
  ASSERT_TRUE(meeting.open_server());
  meeting.join_local(0);
  RecordingMember& present = meeting.join(2);
  ASSERT_TRUE(meeting.run_until([&] { return meeting.observed.failed && present.closed; }));
  const std::string text = meeting.observed.failed->message();
  EXPECT_EQ(text, "2 of 4 members did not come within 0.4 s: host[1,3]");
  EXPECT_EQ(present.closed->message(), text);
  EXPECT_EQ(meeting.observed.missing.size(), 2u);
}

TEST(Assembly, EndsAtTheMembersDeadlineWithWhatItTried) {
  Meeting meeting(expected_members(2));
  meeting.session_options.deadline = std::chrono::milliseconds(300);
  RecordingMember& member = meeting.join(1);
  ASSERT_TRUE(meeting.run_until([&] { return member.closed.has_value(); }));
  EXPECT_EQ(member.closed->code(), ErrorCode::kTimeout);
  const std::string first = "127.0.0.1:" + std::to_string(meeting.session_options.ports[0]);
  EXPECT_TRUE(contains(member.closed->message(), first + ": Connection refused"))
      << member.closed->message();
}

TEST(Assembly, JoinsAgainWhenTheServerGoesBeforeTheRoster) {
  Meeting meeting(expected_members(3));
  ASSERT_TRUE(meeting.open_server());
  meeting.join(1);
  meeting.join(2);
  meeting.server_options.progress_interval = std::chrono::milliseconds(50);
  // Both are in when only the first is missing.
  meeting.server.reset();
  ASSERT_TRUE(meeting.open_server());
  ASSERT_TRUE(meeting.run_until([&] { return meeting.observed.missing.size() == 1; }));
  meeting.server.reset();
  ASSERT_TRUE(meeting.open_server());
  meeting.join_local(0);
  EXPECT_TRUE(meeting.all_have_roster());
}

TEST(Assembly, RefusesOptionsThatCanNeverWork) {
  Meeting meeting(expected_members(2));
  meeting.session_options.ports.clear();
  RecordingMember& member = meeting.join(1);
  EXPECT_FALSE(member.closed);  // never from inside the call
  ASSERT_TRUE(meeting.run_until([&] { return member.closed.has_value(); }));
  EXPECT_EQ(member.closed->code(), ErrorCode::kInvalidArgument);
  meeting.server_options.ports.clear();
  EXPECT_FALSE(meeting.open_server());
  Meeting short_key(expected_members(2));
  short_key.session_options.authentication.key = "short";
  RecordingMember& weak = short_key.join(1);
  ASSERT_TRUE(short_key.run_until([&] { return weak.closed.has_value(); }));
  EXPECT_EQ(weak.closed->code(), ErrorCode::kInvalidArgument);
}

TEST(Assembly, SaysWhichPortsAreTaken) {
  Meeting meeting(expected_members(2));
  meeting.server_options.ports.resize(2);
  const auto first = listen_on("", meeting.server_options.ports[0]);
  const auto second = listen_on("", meeting.server_options.ports[1]);
  const auto opened = meeting.open_server();
  ASSERT_FALSE(opened);
  EXPECT_TRUE(contains(opened.error().message(),
                       "no port is free; taken are " +
                           std::to_string(meeting.server_options.ports[0]) + ", " +
                           std::to_string(meeting.server_options.ports[1])))
      << opened.error().message();
}

TEST(Observers, MayDestroyTheServerAndTheSessionThatCallThem) {
  Meeting meeting(expected_members(2));
  meeting.observed.after_assembled = [&] { meeting.server.reset(); };
  ASSERT_TRUE(meeting.open_server());
  RecordingMember& first = meeting.join(0);
  RecordingMember& second = meeting.join(1);
  first.after_closed = [&] { first.session.reset(); };
  second.after_closed = [&] { second.session.reset(); };
  EXPECT_TRUE(meeting.run_until([&] { return first.closed && second.closed; }));
}

}  // namespace
}  // namespace muster::rendezvous
