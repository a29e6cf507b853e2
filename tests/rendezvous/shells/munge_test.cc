// Proof of identity with a real munged.
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "rendezvous/authentication.h"
#include "rendezvous/sidecar.h"
#include "tests/rendezvous/shells/meeting.h"
#include "tests/rendezvous/shells/munge_daemon.h"

namespace muster::rendezvous {
namespace {

class MungeTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { daemon_ = MungeDaemon::start(reason_); }
  static void TearDownTestSuite() { daemon_.reset(); }

  void SetUp() override {
    if (!find_authentication_facts({}).munge_is_built_in) GTEST_SKIP() << "built without munge";
    if (!daemon_) GTEST_SKIP() << reason_;
  }

  static void use_munge(Meeting& meeting, const MungeDaemon& servers, const MungeDaemon& members) {
    meeting.server_options.authentication = {AuthenticationMethod::kMunge, "", servers.socket()};
    meeting.session_options.authentication = {AuthenticationMethod::kMunge, "", members.socket()};
  }

  static inline std::unique_ptr<MungeDaemon> daemon_;
  static inline std::string reason_;
};

TEST_F(MungeTest, ProvesMembersToTheServerAndBack) {
  Meeting meeting(expected_members(2, 4));
  use_munge(meeting, *daemon_, *daemon_);
  EXPECT_TRUE(meeting.assemble());
}

TEST_F(MungeTest, RefusesACredentialOfAnotherKey) {
  std::string reason;
  const auto other = MungeDaemon::start(reason);
  ASSERT_TRUE(other) << reason;
  Meeting meeting(expected_members(2));
  use_munge(meeting, *daemon_, *other);
  meeting.session_options.deadline = std::chrono::seconds(1);
  ASSERT_TRUE(meeting.open_server());
  RecordingMember& member = meeting.join(1);
  ASSERT_TRUE(meeting.run_until([&] { return member.closed.has_value(); }));
  EXPECT_TRUE(contains(member.closed->message(), "do both nodes have the same munge key?"))
      << member.closed->message();
}

TEST_F(MungeTest, EndsAtOnceWithTheCauseWhereMungedIsMissing) {
  Meeting meeting(expected_members(2));
  use_munge(meeting, *daemon_, *daemon_);
  meeting.session_options.authentication.munge_socket = "/no/such/munge.socket";
  ASSERT_TRUE(meeting.open_server());
  RecordingMember& member = meeting.join(1);
  ASSERT_TRUE(meeting.run_until([&] { return member.closed.has_value(); }));
  EXPECT_TRUE(contains(member.closed->message(), "no munged at /no/such/munge.socket"))
      << member.closed->message();
}

TEST_F(MungeTest, ThatHangsIsNamedByWhomeverItKeepsWaiting) {
  const std::string silent = daemon_->socket() + ".silent";
  const Fd listener(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  ASSERT_LT(silent.size(), sizeof(address.sun_path));
  silent.copy(address.sun_path, silent.size());
  ASSERT_EQ(::bind(listener.get(), reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  ASSERT_EQ(::listen(listener.get(), 16), 0);
  Meeting meeting(expected_members(3));
  use_munge(meeting, *daemon_, *daemon_);
  meeting.server_options.authentication.munge_socket = silent;
  ASSERT_TRUE(meeting.open_server());
  meeting.join(1);  // its credential keeps the server's helper waiting
  meeting.session_options.authentication.munge_socket = silent;
  RecordingMember& stuck = meeting.join(2);
  const auto line = [](const std::string& host) {
    return ") on " + host + " did not answer within 5 s: munge hangs there (munge -n | unmunge)";
  };
  const std::vector<ExpectedMember> hosts = expected_members(3);
  EXPECT_TRUE(meeting.run_until([&] {
    return meeting.observed.noted(line(hosts[0].host)) && stuck.noted(line(hosts[2].host));
  }));
  ::unlink(silent.c_str());
}

TEST_F(MungeTest, OpensACredentialOnce) {
  asio::io_context loop(1);
  Sidecar sidecar(loop);
  std::optional<Result<SidecarAnswer>> answer;
  const auto call = [&](const SidecarCall& wish) {
    answer.reset();
    sidecar.call(wish, [&](Result<SidecarAnswer> got) { answer = std::move(got); });
    const TimePoint end = Clock::now() + kPatience;
    while (!answer && Clock::now() < end) loop.run_one_until(end);
  };
  const std::string payload("with a \0 byte", 13);
  call(MungeEncode{daemon_->socket(), payload});
  ASSERT_TRUE(answer && *answer) << answer->error().message();
  const std::string credential = std::get<MungeCredential>(**answer).credential;
  call(MungeDecode{daemon_->socket(), credential});
  ASSERT_TRUE(answer && *answer) << answer->error().message();
  EXPECT_EQ(std::get<MungeContent>(**answer).payload, payload);
  EXPECT_EQ(std::get<MungeContent>(**answer).uid, ::getuid());
  call(MungeDecode{daemon_->socket(), credential});
  ASSERT_TRUE(answer);
  ASSERT_FALSE(*answer);
  EXPECT_EQ(answer->error().message(), "munge: the credential was used before");
}

}  // namespace
}  // namespace muster::rendezvous
