// Which user owns a TCP connection of this machine, asked of the kernel by its exact 4-tuple.
//
// A shell: one NETLINK_SOCK_DIAG socket (some microseconds a question, nothing blocks), and
// /proc/net/tcp and tcp6 where netlink is not allowed. It sees the network namespace of this
// process.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "rendezvous/base/fd.h"
#include "rendezvous/base/result.h"
#include "rendezvous/handshake.h"

namespace muster::tcpstore {

class SocketOwners {
 public:
  // Never fails for want of netlink: then /proc is read for each question.
  static SocketOwners open();
  // As where netlink is not allowed.
  static SocketOwners open_without_netlink() { return SocketOwners(Fd()); }
  bool uses_netlink() const { return netlink_.is_open(); }

  // The uid of the socket whose own end is `local` and whose other end is `remote`; nothing when
  // there is no such connection, or it has been closed by its owner already. Addresses are numeric.
  // Errors: not numeric addresses; neither netlink nor /proc answers.
  Result<std::optional<std::uint32_t>> find(const rendezvous::Endpoint& local,
                                            const rendezvous::Endpoint& remote);

 private:
  explicit SocketOwners(Fd netlink) : netlink_(std::move(netlink)) {}
  Fd netlink_;
  std::uint32_t sequence_ = 0;  // of the last question
};

}  // namespace muster::tcpstore
