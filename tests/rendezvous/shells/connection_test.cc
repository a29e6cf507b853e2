// One stream socket on a loop: the cap on what waits, the last words, the end.
#include "rendezvous/connection.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>

#include "rendezvous/sockets.h"
#include "tests/rendezvous/shells/meeting.h"

namespace muster::rendezvous {
namespace {

class ConnectionTest : public testing::Test {
 protected:
  void open(std::size_t write_cap) {
    auto pair = stream_pair();
    ASSERT_TRUE(pair);
    peer_ = std::move(pair->second);
    connection_ = Connection::create(loop_, std::move(pair->first), write_cap);
    connection_->start([this](std::string_view bytes) { received_ += bytes; },
                       [this](const Ending& ending) { ending_ = ending; });
  }

  bool run_until(const std::function<bool()>& done) {
    const TimePoint end = Clock::now() + kPatience;
    while (!done() && Clock::now() < end) {
      if (loop_.stopped()) loop_.restart();
      loop_.run_one_until(end);
    }
    return done();
  }

  // Everything the peer gets until the end of file.
  std::string read_to_end() {
    std::string all;
    char buffer[65536];
    while (true) {
      loop_.restart();
      loop_.poll();
      const ssize_t size = ::recv(peer_.get(), buffer, sizeof(buffer), MSG_DONTWAIT);
      if (size == 0) return all;
      if (size > 0) {
        all.append(buffer, static_cast<std::size_t>(size));
        continue;
      }
      pollfd waits{peer_.get(), POLLIN, 0};
      if (::poll(&waits, 1, static_cast<int>(kPatience.count())) != 1) return "nothing came";
    }
  }

  asio::io_context loop_{1};
  Fd peer_;
  std::shared_ptr<Connection> connection_;
  std::string received_;
  std::optional<Ending> ending_;
};

TEST_F(ConnectionTest, DropsAPeerThatDoesNotRead) {
  open(1u << 20);
  for (int i = 0; i < 100 && connection_->is_open(); ++i) {
    connection_->send(std::string(64u << 10, 'x'));
    EXPECT_FALSE(ending_);  // never from inside the call
  }
  ASSERT_TRUE(run_until([&] { return ending_.has_value(); }));
  EXPECT_TRUE(contains(ending_->detail, "it does not read")) << ending_->detail;
  EXPECT_FALSE(ending_->peer_is_silent);
}

TEST_F(ConnectionTest, WritesItsLastWordsBeforeItCloses) {
  open(8u << 20);
  connection_->send(std::string(4u << 20, 'a'));
  connection_->send(std::string("the end"));
  connection_->close_after_flush(kPatience);
  const std::string all = read_to_end();
  EXPECT_EQ(all.size(), (4u << 20) + 7);
  EXPECT_EQ(all.substr(4u << 20), "the end");
  EXPECT_FALSE(ending_);  // nobody is called after close_after_flush()
}

TEST_F(ConnectionTest, ClosesAtTheLimitWhenThePeerDoesNotRead) {
  open(8u << 20);
  connection_->send(std::string(4u << 20, 'a'));
  connection_->close_after_flush(std::chrono::milliseconds(50));
  EXPECT_TRUE(run_until([&] { return !connection_->is_open(); }));
}

TEST_F(ConnectionTest, TellsTheEndAfterTheLastBytes) {
  open(1u << 20);
  ASSERT_EQ(::send(peer_.get(), "last", 4, 0), 4);
  peer_.reset();
  ASSERT_TRUE(run_until([&] { return ending_.has_value(); }));
  EXPECT_EQ(received_, "last");
  EXPECT_EQ(ending_->detail, "connection closed by peer");
}

}  // namespace
}  // namespace muster::rendezvous
