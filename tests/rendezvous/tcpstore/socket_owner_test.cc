#include "rendezvous/tcpstore/socket_owner.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <string>

#include "rendezvous/sockets.h"

namespace muster::tcpstore {
namespace {

using rendezvous::Endpoint;

constexpr int kDeadlineMs = 10'000;
constexpr uid_t kNobody = 65534;

bool wait_readable(int descriptor) {
  pollfd ready{descriptor, POLLIN, 0};
  return ::poll(&ready, 1, kDeadlineMs) == 1;
}

bool has_v6() {
  return rendezvous::listen_on("::1", 0).has_value();
}

// A connection over loopback: the client's end, the server's, and how each is called.
struct Connection {
  Fd client;
  Fd server;
  Endpoint client_end;
  Endpoint server_end;
};

Endpoint endpoint(Result<rendezvous::SocketAddress> where) {
  return rendezvous::endpoint_of(where.value());
}

Connection connect_over(const std::string& bind_address, const std::string& target) {
  auto listener = rendezvous::listen_on(bind_address, 0).value();
  const std::uint16_t port = rendezvous::port_of(rendezvous::local_address(listener.get()).value());
  Connection made;
  made.client =
      rendezvous::start_connecting(rendezvous::numeric_address(target, port).value()).value();
  EXPECT_TRUE(wait_readable(listener.get()));
  rendezvous::Accepted accepted;
  EXPECT_EQ(rendezvous::accept_one(listener.get(), accepted), rendezvous::AcceptOutcome::kAccepted);
  made.server = std::move(accepted.socket);
  made.client_end = endpoint(rendezvous::local_address(made.client.get()));
  made.server_end = endpoint(rendezvous::local_address(made.server.get()));
  return made;
}

// Each test runs on both paths: netlink and /proc.
class SocketOwner : public testing::TestWithParam<bool> {
 protected:
  SocketOwners owners_ = GetParam() ? SocketOwners::open() : SocketOwners::open_without_netlink();

  std::optional<std::uint32_t> owner(const Endpoint& local, const Endpoint& remote) {
    const auto found = owners_.find(local, remote);
    EXPECT_TRUE(found) << found.error().message();
    return found.value_or(std::nullopt);
  }
};

TEST_P(SocketOwner, IsThisUserForBothEndsOverV4) {
  const Connection made = connect_over("127.0.0.1", "127.0.0.1");
  EXPECT_EQ(owner(made.client_end, made.server_end), ::getuid());
  EXPECT_EQ(owner(made.server_end, made.client_end), ::getuid());
}

TEST_P(SocketOwner, IsThisUserOverV6) {
  if (!has_v6()) GTEST_SKIP() << "no IPv6 on this machine";
  const Connection made = connect_over("::1", "::1");
  EXPECT_EQ(made.client_end.address, "::1");
  EXPECT_EQ(owner(made.client_end, made.server_end), ::getuid());
}

TEST_P(SocketOwner, IsThisUserWhereAV4ClientMeetsAServerOfBothFamilies) {
  const Connection made = connect_over("", "127.0.0.1");
  EXPECT_EQ(made.server_end.address, "127.0.0.1");
  EXPECT_EQ(owner(made.client_end, made.server_end), ::getuid());
  EXPECT_EQ(owner(made.server_end, made.client_end), ::getuid());
}

// Programs may connect a v6 socket to ::ffff:127.0.0.1; to the server it is a v4 client.
TEST_P(SocketOwner, IsThisUserForAV4MappedClient) {
  if (!has_v6()) GTEST_SKIP() << "no IPv6 on this machine";
  const Connection made = connect_over("", "::ffff:127.0.0.1");
  EXPECT_EQ(made.client_end.address, "127.0.0.1");
  EXPECT_EQ(owner(made.client_end, made.server_end), ::getuid());
}

TEST_P(SocketOwner, IsNobodyForAConnectionThatDoesNotExist) {
  const Connection made = connect_over("127.0.0.1", "127.0.0.1");
  Endpoint other = made.client_end;
  other.port = other.port == 65535 ? 1024 : other.port + 1;
  EXPECT_EQ(owner(other, made.server_end), std::nullopt);
  other = made.client_end;
  other.address = "127.0.0.2";
  EXPECT_EQ(owner(other, made.server_end), std::nullopt);
}

// The kernel's look-up finds a listener when it finds no connection.
TEST_P(SocketOwner, IsNobodyForAListener) {
  const Fd listener = rendezvous::listen_on("127.0.0.1", 0).value();
  const Endpoint where = endpoint(rendezvous::local_address(listener.get()));
  EXPECT_EQ(owner(where, {"127.0.0.1", 4}), std::nullopt);
}

TEST_P(SocketOwner, IsNobodyOnceTheClientHasClosed) {
  Connection made = connect_over("127.0.0.1", "127.0.0.1");
  made.client.reset();
  ASSERT_TRUE(wait_readable(made.server.get()));
  EXPECT_EQ(owner(made.client_end, made.server_end), std::nullopt) << "FIN_WAIT_2 without owner";
  EXPECT_EQ(owner(made.server_end, made.client_end), ::getuid()) << "CLOSE_WAIT is still held";
  made.server.reset();
  EXPECT_EQ(owner(made.client_end, made.server_end), std::nullopt) << "TIME_WAIT";
  EXPECT_EQ(owner(made.server_end, made.client_end), std::nullopt);
}

TEST_P(SocketOwner, IsStillTheUserWhoHasOnlyShutDown) {
  const Connection made = connect_over("127.0.0.1", "127.0.0.1");
  ASSERT_EQ(::shutdown(made.client.get(), SHUT_WR), 0);
  ASSERT_TRUE(wait_readable(made.server.get()));
  EXPECT_EQ(owner(made.client_end, made.server_end), ::getuid());
}

TEST_P(SocketOwner, RefusesNames) {
  EXPECT_FALSE(owners_.find({"localhost", 1}, {"127.0.0.1", 2}));
  EXPECT_FALSE(owners_.find({"127.0.0.1", 1}, {"", 2}));
}

// Connects to `port` as another user and stays until its pipe closes. Only system calls: a fork.
[[noreturn]] void stay_connected_as_nobody(std::uint16_t port, int until) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  sockaddr_in where{};
  where.sin_family = AF_INET;
  where.sin_port = htons(port);
  where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::setuid(kNobody) != 0) ::_exit(2);
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  if (::connect(socket, reinterpret_cast<sockaddr*>(&where), sizeof(where)) != 0) ::_exit(3);
  char byte = 0;
  ::_exit(::read(until, &byte, 1) == 0 ? 0 : 4);
}

TEST_P(SocketOwner, IsTheOtherUserForItsConnection) {
  if (::getuid() != 0) GTEST_SKIP() << "only root can become another user";
  const Fd listener = rendezvous::listen_on("127.0.0.1", 0).value();
  const Endpoint server_end = endpoint(rendezvous::local_address(listener.get()));
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  Fd read_end(ends[0]);
  Fd write_end(ends[1]);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    ::close(ends[1]);
    stay_connected_as_nobody(server_end.port, ends[0]);
  }
  ASSERT_TRUE(wait_readable(listener.get()));
  rendezvous::Accepted accepted;
  ASSERT_EQ(rendezvous::accept_one(listener.get(), accepted), rendezvous::AcceptOutcome::kAccepted);
  EXPECT_EQ(owner(rendezvous::endpoint_of(accepted.peer), server_end), kNobody);
  write_end.reset();
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
}

std::string path_name(const testing::TestParamInfo<bool>& path) {
  return path.param ? "Netlink" : "Proc";
}
INSTANTIATE_TEST_SUITE_P(OnBothPaths, SocketOwner, testing::Bool(), path_name);

// Else the netlink cases above would test /proc twice.
TEST(SocketOwners, UsesNetlinkWhereTheKernelHasIt) {
  const Fd netlink(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_SOCK_DIAG));
  if (!netlink.is_open()) GTEST_SKIP() << "no NETLINK_SOCK_DIAG on this machine";
  EXPECT_TRUE(SocketOwners::open().uses_netlink());
  EXPECT_FALSE(SocketOwners::open_without_netlink().uses_netlink());
}

}  // namespace
}  // namespace muster::tcpstore
