// Who else knocks on the door: garbage, scanners, the wrong key, silence.
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include "rendezvous/sockets.h"
#include "tests/rendezvous/shells/meeting.h"

namespace muster::rendezvous {
namespace {

// A connected socket to the server that says what a test wants.
class Knocker {
 public:
  explicit Knocker(std::uint16_t port)
      : socket_(std::move(*start_connecting(*numeric_address("127.0.0.1", port)))) {
    pollfd connected{socket_.get(), POLLOUT, 0};
    EXPECT_EQ(::poll(&connected, 1, static_cast<int>(kPatience.count())), 1);
  }

  void say(std::string_view bytes) {
    ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
  }

  // What was heard so far.
  const std::string& listen() {
    char buffer[4096];
    while (true) {
      const ssize_t size = ::recv(socket_.get(), buffer, sizeof(buffer), MSG_DONTWAIT);
      if (size > 0) heard_.append(buffer, static_cast<std::size_t>(size));
      if (size == 0) closed_ = true;
      if (size <= 0) return heard_;
    }
  }
  bool is_closed() {
    listen();
    return closed_;
  }

 private:
  Fd socket_;
  std::string heard_;
  bool closed_ = false;
};

TEST(Strangers, WhoSendGarbageAreClosedAndNamed) {
  Meeting meeting(expected_members(2));
  const auto port = meeting.open_server();
  ASSERT_TRUE(port);
  Knocker http(*port);
  http.say("GET / HTTP/1.1\r\nHost: node1\r\n\r\n");
  Knocker noise(*port);
  noise.say(std::string(100000, '\xa5'));
  ASSERT_TRUE(meeting.run_until([&] { return http.is_closed() && noise.is_closed(); }));
  EXPECT_TRUE(meeting.observed.noted("127.0.0.1"));
  meeting.join_local(0);
  meeting.join(1);
  EXPECT_TRUE(meeting.all_have_roster());
}

TEST(Strangers, WhoKeepSilentOrDribbleDoNotHoldUpTheMeetingAndAreCutOff) {
  Meeting meeting(expected_members(2));
  const auto port = meeting.open_server();
  ASSERT_TRUE(port);
  std::vector<std::unique_ptr<Knocker>> silent;
  for (int i = 0; i < 50; ++i) silent.push_back(std::make_unique<Knocker>(*port));
  Knocker slow(*port);
  slow.say(std::string("\x40\x00\x00\x00\x01", 5));  // the beginning of a frame
  meeting.join_local(0);
  meeting.join(1);
  ASSERT_TRUE(meeting.all_have_roster());
  EXPECT_TRUE(meeting.run_until([&] { return silent.front()->is_closed() && slow.is_closed(); }));
  EXPECT_FALSE(slow.listen().empty());  // the greeting
}

TEST(Strangers, WithAnotherKeyStayOutsideAndLearnWhy) {
  Meeting meeting(expected_members(2));
  ASSERT_TRUE(meeting.open_server());
  meeting.join_local(0);
  SessionOptions stranger = meeting.options_of(1);
  stranger.authentication.key = "another key, as long";
  stranger.deadline = std::chrono::milliseconds(500);
  RecordingMember& outside = meeting.join(stranger);
  ASSERT_TRUE(meeting.run_until([&] { return outside.closed.has_value(); }));
  EXPECT_TRUE(contains(outside.closed->message(), "its key is not the one of this job"))
      << outside.closed->message();
  EXPECT_TRUE(meeting.observed.noted("its key is not the one of this job"));
  EXPECT_FALSE(meeting.observed.roster);
  RecordingMember& member = meeting.join(1);
  EXPECT_TRUE(meeting.run_until([&] { return member.roster.has_value(); }));
}

TEST(Strangers, WithAnotherMethodAreToldSo) {
  Meeting meeting(expected_members(2));
  ASSERT_TRUE(meeting.open_server());
  meeting.session_options.authentication.method = AuthenticationMethod::kMunge;
  meeting.session_options.deadline = std::chrono::milliseconds(300);
  RecordingMember& member = meeting.join(1);
  ASSERT_TRUE(meeting.run_until([&] { return member.closed.has_value(); }));
  EXPECT_TRUE(contains(member.closed->message(), "another kind of proof"))
      << member.closed->message();
}

TEST(Strangers, WhoScanThePortDoNotFloodTheLog) {
  Meeting meeting(expected_members(2));
  const auto port = meeting.open_server();
  ASSERT_TRUE(port);
  for (int i = 0; i < 300; ++i) {
    Knocker scanner(*port);
    scanner.say("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff");
    ASSERT_TRUE(meeting.run_until([&] { return scanner.is_closed(); }));
  }
  EXPECT_LE(meeting.observed.notes.size(), 30u);
}

TEST(Server, WithoutDescriptorsWaitsInsteadOfSpinning) {
  Meeting meeting(expected_members(2));
  const auto port = meeting.open_server();
  ASSERT_TRUE(port);
  std::vector<std::unique_ptr<Knocker>> knockers;
  for (int i = 0; i < 5; ++i) knockers.push_back(std::make_unique<Knocker>(*port));
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  const rlimit none{0, limit.rlim_max};
  ::setrlimit(RLIMIT_NOFILE, &none);
  meeting.loop.restart();
  const std::size_t handlers = meeting.loop.run_for(std::chrono::milliseconds(350));
  ::setrlimit(RLIMIT_NOFILE, &limit);
  EXPECT_LT(handlers, 30u);
  EXPECT_TRUE(meeting.observed.noted("out of file descriptors"));
  EXPECT_TRUE(meeting.run_until([&] { return !knockers.back()->listen().empty(); }));
}

TEST(Member, OfAPlaceThatIsTakenIsRefused) {
  Meeting meeting(expected_members(3));
  ASSERT_TRUE(meeting.open_server());
  meeting.server_options.progress_interval = std::chrono::milliseconds(20);
  RecordingMember& first = meeting.join(1);
  RecordingMember& second = meeting.join(1);
  ASSERT_TRUE(meeting.run_until([&] { return first.closed || second.closed; }));
  const Error& error = first.closed ? *first.closed : *second.closed;
  EXPECT_TRUE(contains(error.message(), "two processes have the same place")) << error.message();
}

TEST(Member, ThatNobodyExpectsIsRefused) {
  Meeting meeting(expected_members(2));
  ASSERT_TRUE(meeting.open_server());
  SessionOptions options = meeting.options_of(1);
  options.self.node = NodeIndex{7};
  RecordingMember& member = meeting.join(options);
  ASSERT_TRUE(meeting.run_until([&] { return member.closed.has_value(); }));
  EXPECT_TRUE(contains(member.closed->message(), "not among the 2 expected members"))
      << member.closed->message();
}

}  // namespace
}  // namespace muster::rendezvous
