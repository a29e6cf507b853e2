// StoreSockets: the connections of a StoreEngine on an epoll descriptor of their own. A shell
// without a loop: StoreServer watches epoll() and calls turn().
//
// One read, one write and no allocation for a usual request. Nothing blocks; a turn is short, so
// that whoever shares the thread is not starved. A connection that has not been admitted is not
// read, not even watched.
#pragma once

#include <netinet/in.h>
#include <sys/epoll.h>

#include <array>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rendezvous/base/fd.h"
#include "rendezvous/base/result.h"
#include "rendezvous/base/time.h"
#include "rendezvous/note_limiter.h"
#include "rendezvous/tcpstore/store_engine.h"
#include "rendezvous/tcpstore/store_server.h"

namespace muster::tcpstore {

// Accepted, and nobody has said yet whether they may enter; the next ones wait in the kernel.
inline constexpr std::size_t kMaxUnadmitted = 4096;

struct StoreSocketsOptions {
  bool ask_admission = true;
  Duration admission_deadline = std::chrono::seconds(10);
  std::size_t unadmitted = kMaxUnadmitted;
  StoreLimits limits;
};

class StoreSockets {
 public:
  static Result<std::unique_ptr<StoreSockets>> open(Fd listener, StoreSocketsOptions options);

  int epoll() const { return epoll_.get(); }
  // Serves a part of what is ready. True when there may be more, false when epoll() will tell.
  bool turn(TimePoint now);
  // Closes who waited too long for admission, and accepts again after a lack of descriptors.
  void note_time(TimePoint now);
  std::optional<TimePoint> next_deadline() const;

  void admit(PeerId peer);
  void refuse(PeerId peer, std::string_view why, TimePoint now);

  // What happened since the last call.
  std::vector<Peer> take_peers();
  std::vector<std::string> take_notes();
  std::optional<Error> take_failure();

 private:
  struct Connection {
    Fd socket;
    std::uint32_t use = 0;  // how often this slot has been used: events of the one before are stale
    sockaddr_in6 remote{};  // or a sockaddr_in
    bool is_admitted = false;
    bool wants_write = false;
  };
  struct Unadmitted {
    TimePoint deadline;
    PeerId peer;
  };

  static constexpr PeerId kListener{~std::uint64_t{0}};

  StoreSockets(Fd listener, Fd epoll, StoreSocketsOptions options);
  void accept_some();
  void take_in(Fd socket, const sockaddr_in6& remote);
  void announce(ClientSlot client);
  void pause_accepting();
  void resume_accepting();
  bool watch_listener(int operation, bool is_wanted);
  // Closes a client that cannot be watched: nobody would ever hear it again.
  void watch(ClientSlot client, int operation, std::uint32_t events);

  void serve(ClientSlot client, std::uint32_t events);
  void read_from(ClientSlot client);
  void write_to(ClientSlot client);
  bool write_some_ready();
  void close_breaches();
  void close_one(ClientSlot client);
  void forget_decided();

  Connection& at(ClientSlot client) { return connections_[static_cast<std::size_t>(client)]; }
  PeerId id_of(ClientSlot client) const;
  // The connection of an id; nothing when it has gone meanwhile.
  std::optional<ClientSlot> find(PeerId peer) const;
  // A remark about a connection. The limiter folds by what stands before the first ": ", so the
  // port, which is new with every connection, stands behind it.
  void note_of(ClientSlot client, std::string_view what, std::string_view why);
  void note(std::string_view line);

  Fd listener_;
  Fd epoll_;
  StoreSocketsOptions options_;
  StoreEngine engine_;
  std::vector<Connection> connections_;
  std::vector<ClientSlot> free_slots_;
  std::size_t open_ = 0;
  std::size_t unadmitted_count_ = 0;
  std::deque<Unadmitted> unadmitted_;  // in the order of deadlines; the decided ones linger
  bool is_accepting_ = true;
  std::optional<TimePoint> accept_again_;
  TimePoint now_{};

  std::unique_ptr<char[]> buffer_;
  std::array<epoll_event, 128> events_{};
  std::vector<ClientSlot> ready_;  // have something to be sent; those before written_ are done
  std::size_t written_ = 0;

  rendezvous::NoteLimiter note_limiter_;
  std::vector<Peer> peers_;
  std::vector<std::string> notes_;
  std::optional<Error> failure_;
};

}  // namespace muster::tcpstore
