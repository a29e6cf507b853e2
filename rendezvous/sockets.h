// Sockets as plain system calls: listen, accept, connect, tune. A shell without a loop.
//
// Every descriptor is born CLOEXEC and non-blocking (Asio 1.74 opens and accepts without CLOEXEC).
// Addresses are numeric; nothing here looks a name up, so nothing blocks.
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "rendezvous/base/fd.h"
#include "rendezvous/base/result.h"
#include "rendezvous/base/time.h"
#include "rendezvous/handshake.h"

namespace muster::rendezvous {

struct SocketAddress {
  sockaddr_storage address{};
  socklen_t size = 0;
};

// "10.0.0.1", "fe80::1%eth0". kInvalidArgument for a name.
Result<SocketAddress> numeric_address(const std::string& address, std::uint16_t port);

// "10.0.0.1"; a v4-mapped v6 address is written as v4.
std::string address_of(const SocketAddress& where);
std::uint16_t port_of(const SocketAddress& where);
std::string to_string(const SocketAddress& where);  // "10.0.0.1:12007", "[fe80::1%eth0]:12007"
Endpoint endpoint_of(const SocketAddress& where);   // as the handshake covers it: without zone

// Listens on `port` of `bind_address`, or of all addresses, v6 and v4, when that is "".
// kUnavailable when someone else has the port.
Result<Fd> listen_on(const std::string& bind_address, std::uint16_t port);

struct Accepted {
  Fd socket;
  SocketAddress peer;
};
enum class AcceptOutcome { kAccepted, kNothingWaits, kOutOfDescriptors, kBroken };
AcceptOutcome accept_one(int listener, Accepted& accepted);

// Starts to connect; writable when done, then take_error() says how it went (0 or an errno).
Result<Fd> start_connecting(const SocketAddress& where);
int take_error(int socket);

// No delay; unacknowledged data for `lost_after` breaks the connection with ETIMEDOUT, silence of
// the peer's kernel too. Without effect on a socket pair.
void tune_stream(int socket, Duration lost_after);

Result<SocketAddress> local_address(int socket);
Result<SocketAddress> peer_address(int socket);

// A connected pair of stream sockets of this process.
Result<std::pair<Fd, Fd>> stream_pair();

}  // namespace muster::rendezvous
