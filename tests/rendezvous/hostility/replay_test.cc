// Those who recorded a genuine join and say it again.
#include <gtest/gtest.h>

#include "rendezvous/authentication.h"
#include "rendezvous/sidecar.h"
#include "tests/rendezvous/hostility/stranger.h"
#include "tests/rendezvous/shells/munge_daemon.h"

namespace muster::rendezvous {
namespace {

std::string join_frame(const Stranger& member, const Meeting& meeting, const Message& greeting,
                       const std::string& credential = "") {
  const Greeting& heard = std::get<Greeting>(greeting);
  return encode(member.join_of(meeting.options_of(1), heard, credential), Generation{});
}

void expect_welcome(const std::optional<Message>& answer) {
  ASSERT_TRUE(answer);
  const auto* refused = std::get_if<Refused>(&*answer);
  EXPECT_TRUE(std::holds_alternative<Welcome>(*answer))
      << name_of(*answer) << (refused == nullptr ? "" : ": " + refused->reason);
}

void expect_refusal(Meeting& meeting, Stranger& thief, std::string_view why) {
  const auto answer = await_message(meeting, thief);
  ASSERT_TRUE(answer && std::holds_alternative<Refused>(*answer));
  EXPECT_TRUE(contains(std::get<Refused>(*answer).reason, why))
      << std::get<Refused>(*answer).reason;
  EXPECT_TRUE(meeting.run_until([&] { return thief.is_closed(); }));
}

class KeyReplay : public testing::Test {
 protected:
  void SetUp() override {
    const auto port = meeting_.open_server();
    ASSERT_TRUE(port);
    port_ = *port;
    meeting_.join_local(0);
  }

  Meeting meeting_{expected_members(3)};
  std::uint16_t port_ = 0;
};

TEST_F(KeyReplay, OfAGenuineJoinIsRefused) {
  Stranger member(port_);
  const auto greeting = await_message(meeting_, member);
  ASSERT_TRUE(greeting);
  const std::string join = join_frame(member, meeting_, *greeting);
  member.say(join);
  expect_welcome(await_message(meeting_, member));
  for (int i = 0; i < 5; ++i) {
    Stranger thief(port_);
    ASSERT_TRUE(await_message(meeting_, thief));
    thief.say(join);
    expect_refusal(meeting_, thief, "its key is not the one of this job");
  }
  EXPECT_FALSE(member.is_closed());  // its seat was not taken
}

TEST_F(KeyReplay, OfAJoinThatNeverArrivedIsRefusedToo) {
  Stranger member(port_);
  const auto greeting = await_message(meeting_, member);
  ASSERT_TRUE(greeting);
  Stranger thief(port_);
  ASSERT_TRUE(await_message(meeting_, thief));
  thief.say(join_frame(member, meeting_, *greeting));
  expect_refusal(meeting_, thief, "its key is not the one of this job");
}

TEST_F(KeyReplay, OverTheSameConnectionEndsIt) {
  Stranger member(port_);
  const auto greeting = await_message(meeting_, member);
  ASSERT_TRUE(greeting);
  const std::string join = join_frame(member, meeting_, *greeting);
  member.say(join + join);
  EXPECT_TRUE(meeting_.run_until([&] { return member.is_closed(); }));
  EXPECT_TRUE(meeting_.observed.noted("joins a second time"));
}

class MungeReplay : public testing::Test {
 protected:
  void SetUp() override {
    if (!find_authentication_facts({}).munge_is_built_in) GTEST_SKIP() << "built without munge";
    std::string reason;
    daemon_ = MungeDaemon::start(reason);
    if (!daemon_) GTEST_SKIP() << reason;
    const Authentication munge{AuthenticationMethod::kMunge, "", daemon_->socket()};
    meeting_.server_options.authentication = munge;
    meeting_.session_options.authentication = munge;
    const auto port = meeting_.open_server();
    ASSERT_TRUE(port);
    port_ = *port;
    meeting_.join_local(0);
  }

  // A credential that munged made for this payload.
  std::string credential_around(const CredentialPayload& payload) {
    std::optional<Result<SidecarAnswer>> answer;
    sidecar_.call(MungeEncode{daemon_->socket(), encode(payload)},
                  [&](Result<SidecarAnswer> got) { answer = std::move(got); });
    meeting_.run_until([&] { return answer.has_value(); });
    if (answer && *answer) return std::get<MungeCredential>(**answer).credential;
    ADD_FAILURE() << (answer ? answer->error().message() : "the sidecar does not answer");
    return "";
  }

  std::unique_ptr<MungeDaemon> daemon_;
  Meeting meeting_{expected_members(3)};
  Sidecar sidecar_{meeting_.loop};
  std::uint16_t port_ = 0;
};

TEST_F(MungeReplay, OfAUsedCredentialIsRefused) {
  Stranger member(port_);
  const auto greeting = await_message(meeting_, member);
  ASSERT_TRUE(greeting);
  const SessionOptions options = meeting_.options_of(1);
  const std::string join = join_frame(
      member, meeting_, *greeting,
      credential_around(member.credential_payload(options, std::get<Greeting>(*greeting))));
  member.say(join);
  expect_welcome(await_message(meeting_, member));
  Stranger thief(port_);
  ASSERT_TRUE(await_message(meeting_, thief));
  thief.say(join);
  expect_refusal(meeting_, thief, "the credential was used before");
  EXPECT_FALSE(member.is_closed());
}

// Faster than its owner: munged opens it, but it was made for another conversation.
TEST_F(MungeReplay, OfAFreshCredentialIsRefused) {
  Stranger member(port_);
  const auto greeting = await_message(meeting_, member);
  ASSERT_TRUE(greeting);
  const SessionOptions options = meeting_.options_of(1);
  const std::string credential =
      credential_around(member.credential_payload(options, std::get<Greeting>(*greeting)));
  Stranger thief(port_);
  const auto another = await_message(meeting_, thief);
  ASSERT_TRUE(another);
  thief.say(join_frame(thief, meeting_, *another, credential));
  const auto answer = await_message(meeting_, thief);
  ASSERT_TRUE(answer && std::holds_alternative<Refused>(*answer));
  EXPECT_TRUE(meeting_.run_until([&] { return thief.is_closed(); }));
}

TEST_F(MungeReplay, LeavesTheMembersTheirPlaces) {
  Stranger thief(port_);
  const auto greeting = await_message(meeting_, thief);
  ASSERT_TRUE(greeting);
  thief.say(join_frame(thief, meeting_, *greeting, "MUNGE:not a credential"));
  const auto answer = await_message(meeting_, thief);
  ASSERT_TRUE(answer && std::holds_alternative<Refused>(*answer));
  meeting_.join(1);
  meeting_.join(2);
  EXPECT_TRUE(meeting_.all_have_roster());
}

}  // namespace
}  // namespace muster::rendezvous
