// The store over real sockets: admission, limits, hostile and slow clients, the end.
#include "rendezvous/tcpstore/store_server.h"

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cerrno>
#include <functional>

#include "rendezvous/sockets.h"
#include "rendezvous/tcpstore/limits.h"
#include "rendezvous/tcpstore/store_listener.h"
#include "rendezvous/tcpstore/store_sockets.h"
#include "tests/rendezvous/tcpstore/wire.h"

namespace muster::tcpstore {
namespace {

using enum Operation;

constexpr Duration kPatience = std::chrono::seconds(30);

// A client socket of this thread; the server's loop runs between its steps.
class Client {
 public:
  explicit Client(std::uint16_t port)
      : socket_(*rendezvous::start_connecting(*rendezvous::numeric_address("127.0.0.1", port))) {}

  // Sends what the socket takes; the number of bytes.
  std::size_t send(std::string_view bytes) {
    const ssize_t size =
        ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return size < 0 ? 0 : static_cast<std::size_t>(size);
  }
  const std::string& read() {
    char bytes[64 * 1024];
    ssize_t size = 0;
    while ((size = ::recv(socket_.get(), bytes, sizeof(bytes), MSG_DONTWAIT)) > 0)
      heard_.append(bytes, static_cast<std::size_t>(size));
    is_closed_ = size == 0 || (errno != EAGAIN && errno != EINPROGRESS && errno != ENOTCONN);
    return heard_;
  }
  std::string take() { return std::exchange(heard_, ""); }
  bool is_closed() {
    read();
    return is_closed_;
  }
  int fd() const { return socket_.get(); }

 private:
  Fd socket_;
  std::string heard_;
  bool is_closed_ = false;
};

class StoreServerTest : public testing::Test, public StoreObserver {
 protected:
  void on_peer(const Peer& peer) override {
    peers.push_back(peer);
    if (decide) decide(peer);
  }
  void on_note(std::string_view line) override { notes.emplace_back(line); }
  void on_failed(const Error& error) override { FAIL() << error.message(); }

  void open(bool ask_admission = false, Duration deadline = kPatience) {
    StoreServerOptions options;
    options.ports = {0};
    options.bind_address = "127.0.0.1";
    options.ask_admission = ask_admission;
    options.admission_deadline = deadline;
    auto opened = StoreServer::open(loop, options, *this);
    ASSERT_TRUE(opened) << opened.error().message();
    server = std::move(*opened);
  }

  // Runs the loop until `is_done`, which may read sockets; false when that takes too long.
  bool run_until(const std::function<bool()>& is_done) {
    const TimePoint end = Clock::now() + kPatience;
    while (!is_done()) {
      if (Clock::now() > end) return false;
      loop.restart();
      loop.run_one_for(std::chrono::milliseconds(1));
    }
    return true;
  }

  // Sends all of `bytes` and waits for `expected`.
  testing::AssertionResult exchange(Client& client, std::string bytes, std::string_view expected) {
    const bool came = run_until([&] {
      bytes.erase(0, client.send(bytes));
      return (bytes.empty() && client.read().size() >= expected.size()) || client.is_closed();
    });
    const std::string heard = client.take();
    if (came && heard == expected) return testing::AssertionSuccess();
    return testing::AssertionFailure() << heard.size() << " bytes came";
  }

  bool noted(std::string_view part) const {
    for (const std::string& line : notes)
      if (line.find(part) != std::string::npos) return true;
    return false;
  }

  asio::io_context loop{1};
  std::unique_ptr<StoreServer> server;
  std::function<void(const Peer&)> decide;
  std::vector<Peer> peers;
  std::vector<std::string> notes;
};

const std::string kSetAndGet = wire::set("k", "v") + wire::wait({"k"}) + wire::get("k");
const std::string kAnswer = wire::kStop + wire::string("v");

TEST_F(StoreServerTest, ServesBothErasAtOnce) {
  open();
  Client now(server->port());
  Client before(server->port());
  EXPECT_TRUE(exchange(now, wire::validate() + kSetAndGet, kAnswer));
  EXPECT_TRUE(exchange(before, wire::old(2, wire::get("k")), wire::string("v")));
}

TEST_F(StoreServerTest, ServesAClientThatSendsByteByByte) {
  open();
  Client client(server->port());
  ASSERT_TRUE(exchange(client, wire::validate() + wire::cancel_wait(), wire::kCanceled));
  for (const char byte : kSetAndGet) {
    ASSERT_EQ(client.send(std::string_view(&byte, 1)), 1u);
    loop.restart();
    loop.poll();
  }
  EXPECT_TRUE(exchange(client, "", kAnswer));
}

TEST_F(StoreServerTest, CarriesTheLargestValueBothWays) {
  open();
  Client client(server->port());
  const std::string value(kMaxValue, 'x');
  EXPECT_TRUE(exchange(client, wire::validate() + wire::set("big", value) + wire::get("big"),
                       wire::string(value)));
}

TEST_F(StoreServerTest, WakesAllWhoWait) {
  open();
  std::vector<std::unique_ptr<Client>> waiting;
  for (int i = 0; i < 600; ++i) {
    waiting.push_back(std::make_unique<Client>(server->port()));
    const std::string bytes =
        wire::validate() + wire::opcode(kPing) + wire::number(7) + wire::wait({"go"});
    ASSERT_TRUE(exchange(*waiting.back(), bytes, wire::number(7)));
  }
  Client setter(server->port());
  setter.send(wire::validate() + wire::set("go", "1"));
  for (const auto& client : waiting) ASSERT_TRUE(exchange(*client, "", wire::kStop));
}

TEST_F(StoreServerTest, ClosesWhoBreaksTheRulesWithOneLine) {
  open();
  Client good(server->port());
  ASSERT_TRUE(exchange(good, wire::validate() + kSetAndGet, kAnswer));
  Client bad(server->port());
  bad.send("GET / HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(run_until([&] { return bad.is_closed() && noted("opcode 71"); }));
  EXPECT_EQ(notes.size(), 1u);
  EXPECT_EQ(notes.front().find("closing 127.0.0.1: opcode"), 0u) << notes.front();
  EXPECT_TRUE(exchange(good, wire::get("k"), wire::string("v")));
}

TEST_F(StoreServerTest, AFloodOfStrangersCostsFewLinesAndNobody) {
  open();
  Client good(server->port());
  ASSERT_TRUE(exchange(good, wire::validate() + kSetAndGet, kAnswer));
  for (int i = 0; i < 300; ++i) {
    Client bad(server->port());
    bad.send("\xFF");
    ASSERT_TRUE(run_until([&] { return bad.is_closed(); }));
  }
  EXPECT_LE(notes.size(), 100u);
  EXPECT_TRUE(exchange(good, wire::get("k"), wire::string("v")));
}

TEST_F(StoreServerTest, DropsOnlyTheOneThatDoesNotRead) {
  open();
  Client slow(server->port());
  ASSERT_TRUE(exchange(slow,
                       wire::validate() + wire::set("big", std::string(kMaxValue, 'x')) +
                           wire::opcode(kPing) + wire::number(7),
                       wire::number(7)));
  std::string gets;
  for (std::size_t i = 0; i < 2 * kMaxBacklog / kMaxValue; ++i) gets += wire::get("big");
  ASSERT_EQ(slow.send(gets), gets.size());
  EXPECT_TRUE(run_until([&] { return noted("it does not take its replies"); }));
  Client good(server->port());
  EXPECT_TRUE(exchange(good, wire::validate() + kSetAndGet, kAnswer));
}

TEST_F(StoreServerTest, ForgetsAClientThatGoesInTheMiddleOfAWait) {
  open();
  {
    Client gone(server->port());
    ASSERT_TRUE(
        exchange(gone, wire::validate() + wire::opcode(kPing) + wire::number(7) + wire::wait({"k"}),
                 wire::number(7)));
  }
  Client other(server->port());
  EXPECT_TRUE(exchange(other, wire::validate() + kSetAndGet, kAnswer));
  EXPECT_TRUE(notes.empty());
}

TEST_F(StoreServerTest, ReadsNothingBeforeAPeerIsAdmitted) {
  open(true);
  Client client(server->port());
  ASSERT_TRUE(run_until([&] { return !peers.empty(); }));
  EXPECT_EQ(peers[0].local, (Endpoint{"127.0.0.1", server->port()}));
  EXPECT_EQ(peers[0].remote.address, "127.0.0.1");
  EXPECT_NE(peers[0].remote.port, 0);
  client.send("nonsense");
  loop.restart();
  loop.run_for(std::chrono::milliseconds(20));
  EXPECT_TRUE(notes.empty());
  server->admit(peers[0].id);
  EXPECT_TRUE(run_until([&] { return noted("opcode 110"); }));
}

TEST_F(StoreServerTest, RefusesWithAReasonFromWithinTheQuestion) {
  decide = [this](const Peer& peer) { server->refuse(peer.id, "uid 1234 owns it"); };
  open(true);
  Client client(server->port());
  EXPECT_TRUE(run_until([&] { return client.is_closed() && noted(": uid 1234 owns it"); }));
  server->admit(peers[0].id);  // it has gone meanwhile
}

TEST_F(StoreServerTest, ClosesWhomNobodyAdmitsInTime) {
  open(true, std::chrono::milliseconds(50));
  Client client(server->port());
  EXPECT_TRUE(run_until([&] { return client.is_closed() && noted("nobody said within 50 ms"); }));
  EXPECT_EQ(notes.size(), 1u);
}

TEST_F(StoreServerTest, MayBeDestroyedByItsObserver) {
  decide = [this](const Peer&) { server.reset(); };
  open(true);
  Client client(server->port());
  EXPECT_TRUE(run_until([&] { return client.is_closed(); }));
}

TEST_F(StoreServerTest, ClosesAllConnectionsWithIt) {
  open();
  Client client(server->port());
  ASSERT_TRUE(exchange(client, wire::validate() + kSetAndGet, kAnswer));
  const std::uint16_t port = server->port();
  server.reset();
  EXPECT_TRUE(run_until([&] { return client.is_closed(); }));
  EXPECT_TRUE(rendezvous::listen_on("127.0.0.1", port));
}

TEST(StoreSocketsLimits, LetTheKernelKeepWhoComesBeyondTheUnadmitted) {
  auto listener = listen_for_clients({0}, "127.0.0.1", false, std::chrono::seconds(5));
  ASSERT_TRUE(listener) << listener.error().message();
  StoreSocketsOptions options;
  options.unadmitted = 2;
  const auto sockets = *StoreSockets::open(std::move(listener->socket), options);
  const Client a(listener->port), b(listener->port), c(listener->port);
  const auto turns = [&sockets] {
    for (int i = 0; i < 10; ++i) sockets->turn(Clock::now());
    return sockets->take_peers();
  };
  const auto peers = turns();
  ASSERT_EQ(peers.size(), 2u);
  EXPECT_TRUE(turns().empty());
  sockets->admit(peers[0].id);
  EXPECT_EQ(turns().size(), 1u);
}

// The server's end of a client's connection, in this same process; -1 when there is none.
int server_end_of(const Client& client) {
  const auto ours = rendezvous::local_address(client.fd());
  for (int fd = 0; ours && fd < 1024; ++fd) {
    sockaddr_in6 peer{};
    socklen_t size = sizeof(peer);
    // The port is at the same place in both kinds of address.
    if (::getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0 &&
        ntohs(peer.sin6_port) == rendezvous::port_of(*ours))
      return fd;
  }
  return -1;
}

class Watching : public testing::Test {
 protected:
  void open(bool ask_admission) {
    auto listener = listen_for_clients({0}, "127.0.0.1", false, std::chrono::seconds(5));
    ASSERT_TRUE(listener) << listener.error().message();
    StoreSocketsOptions options;
    options.ask_admission = ask_admission;
    sockets = *StoreSockets::open(std::move(listener->socket), options);
    port = listener->port;
  }
  void take_turns() {
    for (int i = 0; i < 10; ++i) sockets->turn(Clock::now());
  }
  static bool ends(Client& client) {
    const TimePoint end = Clock::now() + kPatience;
    while (!client.is_closed() && Clock::now() < end) {
      pollfd readable{client.fd(), POLLIN, 0};
      ::poll(&readable, 1, 100);
    }
    return client.is_closed();
  }
  void expect_one_note(std::string_view end) {
    const auto notes = sockets->take_notes();
    ASSERT_EQ(notes.size(), 1u);
    EXPECT_EQ(notes[0].find("closing 127.0.0.1: it cannot be watched: " + std::string(end)), 0u)
        << notes[0];
  }

  std::unique_ptr<StoreSockets> sockets;
  std::uint16_t port = 0;
};

TEST_F(Watching, ThatFailsAtAdmissionClosesTheClientAndTellsIt) {
  open(true);
  Client client(port);
  take_turns();
  const auto peers = sockets->take_peers();
  ASSERT_EQ(peers.size(), 1u);
  epoll_event event{};  // it is watched already, so it cannot be added
  ASSERT_EQ(::epoll_ctl(sockets->epoll(), EPOLL_CTL_ADD, server_end_of(client), &event), 0);
  sockets->admit(peers[0].id);
  EXPECT_TRUE(ends(client));
  expect_one_note("File exists");
  EXPECT_EQ(sockets->next_deadline(), std::nullopt);
  Client next(port);
  take_turns();
  EXPECT_EQ(sockets->take_peers().size(), 1u);
}

TEST_F(Watching, ThatFailsWhenAReplyMustWaitClosesTheClient) {
  open(false);
  Client watcher(port);
  Client setter(port);
  watcher.send(wire::old(7, wire::request(kWatchKey, {"k"})));
  take_turns();
  ASSERT_EQ(watcher.read().size(), 1u);
  ASSERT_EQ(::epoll_ctl(sockets->epoll(), EPOLL_CTL_DEL, server_end_of(watcher), nullptr), 0);
  // More than the kernel holds for one who does not read.
  const std::string set = wire::set("k", std::string(kMaxValue, 'x'));
  std::string bytes = wire::validate() + set + set + set;
  const TimePoint end = Clock::now() + kPatience;
  while (!bytes.empty() && Clock::now() < end) {
    bytes.erase(0, setter.send(bytes));
    take_turns();
  }
  take_turns();
  expect_one_note("No such file");
  EXPECT_TRUE(ends(watcher));
}

// Without an observer: a sanitizer that checks virtual calls needs descriptors itself.
TEST(StoreSocketsLimits, WaitForDescriptorsAndKeepWhoIsIn) {
  auto listener = listen_for_clients({0}, "127.0.0.1", false, std::chrono::seconds(5));
  ASSERT_TRUE(listener) << listener.error().message();
  StoreSocketsOptions options;
  options.ask_admission = false;
  const auto sockets = *StoreSockets::open(std::move(listener->socket), options);
  const auto answer = [&sockets](Client& client) {
    client.take();
    client.send(kSetAndGet);
    for (int i = 0; i < 10; ++i) sockets->turn(Clock::now());
    return client.read();
  };
  Client first(listener->port);
  first.send(wire::validate());
  EXPECT_EQ(answer(first), kAnswer);
  auto second = std::make_unique<Client>(listener->port);
  second->send(wire::validate());
  EXPECT_EQ(answer(*second), kAnswer);
  Client third(listener->port);
  third.send(wire::validate());
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{static_cast<rlim_t>(third.fd() + 1), before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const std::string unheard = answer(third);
  const std::string served = answer(first);
  second.reset();
  for (int i = 0; i < 10; ++i) sockets->turn(Clock::now());
  const std::string heard = third.read();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_EQ(unheard, "");
  EXPECT_EQ(served, kAnswer);
  EXPECT_EQ(heard, kAnswer);
  const auto notes = sockets->take_notes();
  ASSERT_EQ(notes.size(), 1u);
  EXPECT_EQ(notes[0].find("accepting nobody until a connection closes, 2 are open"), 0u);
}

TEST(StoreListener, TakesAPortOnlyWhereTheNextIsFree) {
  const auto patience = std::chrono::seconds(5);
  const auto first = listen_for_clients({0}, "127.0.0.1", true, patience);
  ASSERT_TRUE(first) << first.error().message();
  const auto port = first->port;
  const auto below = static_cast<std::uint16_t>(port - 1);
  const auto refused = listen_for_clients({below}, "127.0.0.1", true, patience);
  ASSERT_FALSE(refused);
  const auto second = listen_for_clients({port, below, 0}, "127.0.0.1", true, patience);
  ASSERT_TRUE(second) << second.error().message();
  EXPECT_NE(second->port, below);
}

}  // namespace
}  // namespace muster::tcpstore
