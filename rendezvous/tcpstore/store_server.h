// StoreServer: PyTorch's TCPStore, served by us: the workers' door. A shell around StoreEngine.
//
// Speaks the protocol of every PyTorch since 1.11 (STORE.md) to unmodified programs. Starts empty;
// a restart gets a new server. Its protocol has no place for a secret, so who may enter is the
// owner's decision, connection by connection, before one byte of it is read.
//
// Lives on the io_context of its owner, one thread; nothing blocks; callbacks come from the loop,
// never from inside a call. It has no time limits on requests: those are PyTorch's clients' own.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rendezvous/base/asio.h"
#include "rendezvous/base/result.h"
#include "rendezvous/base/time.h"
#include "rendezvous/handshake.h"

namespace muster::tcpstore {

using rendezvous::Endpoint;

enum class PeerId : std::uint64_t {};

// A connection that waits to be admitted. Addresses are numeric, IPv4 where it is IPv4.
struct Peer {
  PeerId id{};
  Endpoint local;   // our end
  Endpoint remote;  // the client's end
};

class StoreObserver {
 public:
  virtual ~StoreObserver() = default;
  // Answer by admit() or refuse(), at once or later. Only with StoreServerOptions::ask_admission.
  virtual void on_peer(const Peer& peer) = 0;
  // A remark worth a line: "closing 10.0.0.9:4711: key of 9000 bytes, at most 8192".
  virtual void on_note(std::string_view line) = 0;
  // The listening socket is broken: nobody can come any more.
  virtual void on_failed(const Error& error) = 0;
};

struct StoreServerOptions {
  std::vector<std::uint16_t> ports;  // tried in order; 0 lets the kernel choose
  // A port is taken only where the next one is free too: programs open a second store there.
  bool leave_next_free = false;
  std::string bind_address;  // "" for all addresses, v6 and v4
  bool ask_admission = true;
  Duration admission_deadline = std::chrono::seconds(10);  // then the peer is closed
  Duration lost_after = std::chrono::minutes(2);           // TCP_USER_TIMEOUT of a client
};

class StoreServer {
 public:
  // Binds and listens. Errors: no port of the list is free.
  static Result<std::unique_ptr<StoreServer>> open(asio::io_context& loop,
                                                   StoreServerOptions options,
                                                   StoreObserver& observer);
  virtual ~StoreServer() = default;  // closes the listener and every connection

  virtual std::uint16_t port() const = 0;

  // An unknown id (the peer has gone meanwhile) is ignored.
  virtual void admit(PeerId peer) = 0;
  virtual void refuse(PeerId peer, std::string_view why) = 0;
};

}  // namespace muster::tcpstore
