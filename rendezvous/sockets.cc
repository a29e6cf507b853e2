#include "rendezvous/sockets.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace muster::rendezvous {

namespace {

constexpr int kStream = SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK;

sockaddr* raw(SocketAddress& where) {
  return reinterpret_cast<sockaddr*>(&where.address);
}

const sockaddr* raw(const SocketAddress& where) {
  return reinterpret_cast<const sockaddr*>(&where.address);
}

void set_option(int socket, int level, int name, int value) {
  ::setsockopt(socket, level, name, &value, sizeof(value));
}

SocketAddress any_address(int family, std::uint16_t port) {
  SocketAddress where;
  where.address.ss_family = static_cast<sa_family_t>(family);
  // Both families keep the port at the same place; zero is the wildcard address in both.
  reinterpret_cast<sockaddr_in*>(&where.address)->sin_port = htons(port);
  where.size = family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  return where;
}

Result<Fd> listen_at(const SocketAddress& where, bool both_families) {
  Fd socket(::socket(where.address.ss_family, kStream, 0));
  if (!socket.is_open()) return failure(system_error("socket", errno));
  set_option(socket.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (where.address.ss_family == AF_INET6)
    set_option(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, both_families ? 0 : 1);
  // Two sockets may share a port until one listens, so both calls can say that it is taken.
  if (::bind(socket.get(), raw(where), where.size) != 0 || ::listen(socket.get(), SOMAXCONN) != 0) {
    const Error error = system_error("listen on " + to_string(where), errno);
    const bool taken = errno == EADDRINUSE;
    return failure(taken ? ErrorCode::kUnavailable : error.code(), error.message());
  }
  return socket;
}

// Whether this kernel speaks v6 at all; containers often switch it off.
bool has_v6() {
  const Fd probe(::socket(AF_INET6, kStream, 0));
  if (!probe.is_open()) return false;
  const SocketAddress any = any_address(AF_INET6, 0);
  return ::bind(probe.get(), raw(any), any.size) == 0;
}

SocketAddress without_v4_mapping(const SocketAddress& where) {
  if (where.address.ss_family != AF_INET6) return where;
  const auto& v6 = reinterpret_cast<const sockaddr_in6&>(where.address);
  if (!IN6_IS_ADDR_V4MAPPED(&v6.sin6_addr)) return where;
  SocketAddress v4 = any_address(AF_INET, ntohs(v6.sin6_port));
  std::memcpy(&reinterpret_cast<sockaddr_in*>(&v4.address)->sin_addr, &v6.sin6_addr.s6_addr[12], 4);
  return v4;
}

}  // namespace

Result<SocketAddress> numeric_address(const std::string& address, std::uint16_t port) {
  addrinfo wish{};
  wish.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  wish.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(address.c_str(), std::to_string(port).c_str(), &wish, &found) != 0)
    return failure(ErrorCode::kInvalidArgument, "'" + address + "' is no numeric address");
  SocketAddress where;
  std::memcpy(&where.address, found->ai_addr, found->ai_addrlen);
  where.size = found->ai_addrlen;
  ::freeaddrinfo(found);
  return where;
}

std::string address_of(const SocketAddress& where) {
  const SocketAddress plain = without_v4_mapping(where);
  std::array<char, NI_MAXHOST> text{};
  if (::getnameinfo(raw(plain), plain.size, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST))
    return "";
  return text.data();
}

std::uint16_t port_of(const SocketAddress& where) {
  return ntohs(reinterpret_cast<const sockaddr_in*>(&where.address)->sin_port);
}

std::string to_string(const SocketAddress& where) {
  const std::string address = address_of(where);
  const std::string port = std::to_string(port_of(where));
  if (address.find(':') != std::string::npos) return "[" + address + "]:" + port;
  return address + ":" + port;
}

Endpoint endpoint_of(const SocketAddress& where) {
  std::string address = address_of(where);
  address = address.substr(0, address.find('%'));
  return {std::move(address), port_of(where)};
}

Result<Fd> listen_on(const std::string& bind_address, std::uint16_t port) {
  if (bind_address.empty()) {
    if (has_v6()) return listen_at(any_address(AF_INET6, port), true);
    return listen_at(any_address(AF_INET, port), false);
  }
  MUSTER_TRY(where, numeric_address(bind_address, port));
  return listen_at(where, false);
}

AcceptOutcome accept_one(int listener, Accepted& accepted) {
  accepted.peer.size = sizeof(accepted.peer.address);
  accepted.socket.reset(
      ::accept4(listener, raw(accepted.peer), &accepted.peer.size, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (accepted.socket.is_open()) return AcceptOutcome::kAccepted;
  switch (errno) {
    case EMFILE:
    case ENFILE:
    case ENOBUFS:
    case ENOMEM:
      return AcceptOutcome::kOutOfDescriptors;
    case EBADF:
    case EINVAL:
    case ENOTSOCK:
      return AcceptOutcome::kBroken;
    default:  // EAGAIN, or an error of the connection that is gone already (accept(2))
      return AcceptOutcome::kNothingWaits;
  }
}

Result<Fd> start_connecting(const SocketAddress& where) {
  Fd socket(::socket(where.address.ss_family, kStream, 0));
  if (!socket.is_open()) return failure(system_error("socket", errno));
  set_option(socket.get(), IPPROTO_TCP, TCP_NODELAY, 1);
  if (::connect(socket.get(), raw(where), where.size) != 0 && errno != EINPROGRESS)
    return failure(system_error("connect " + to_string(where), errno));
  return socket;
}

int take_error(int socket) {
  int error = 0;
  socklen_t size = sizeof(error);
  if (::getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size) != 0) return errno;
  return error;
}

void tune_stream(int socket, Duration lost_after) {
  const auto limit_ms = static_cast<int>(std::min<std::int64_t>(lost_after.count(), 3'600'000));
  const int interval_s = std::max(1, limit_ms / 1000 / 3);
  set_option(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(socket, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(socket, IPPROTO_TCP, TCP_KEEPIDLE, interval_s);
  set_option(socket, IPPROTO_TCP, TCP_KEEPINTVL, interval_s);
  // TCP_USER_TIMEOUT overrides the count of keep-alive probes (tcp(7)).
  set_option(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, limit_ms);
}

Result<SocketAddress> local_address(int socket) {
  SocketAddress where;
  where.size = sizeof(where.address);
  if (::getsockname(socket, raw(where), &where.size) != 0)
    return failure(system_error("getsockname", errno));
  return where;
}

Result<SocketAddress> peer_address(int socket) {
  SocketAddress where;
  where.size = sizeof(where.address);
  if (::getpeername(socket, raw(where), &where.size) != 0)
    return failure(system_error("getpeername", errno));
  return where;
}

Result<std::pair<Fd, Fd>> stream_pair() {
  std::array<int, 2> pair{};
  if (::socketpair(AF_UNIX, kStream, 0, pair.data()) != 0)
    return failure(system_error("socketpair", errno));
  return std::make_pair(Fd(pair[0]), Fd(pair[1]));
}

}  // namespace muster::rendezvous
