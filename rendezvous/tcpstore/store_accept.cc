// From the kernel's queue of new connections to the engine: who may enter, and when none can.
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "rendezvous/sockets.h"
#include "rendezvous/tcpstore/store_sockets.h"

namespace muster::tcpstore {

namespace {

constexpr int kAcceptsPerTurn = 128;
constexpr Duration kAcceptAgain = std::chrono::seconds(1);

}  // namespace

bool StoreSockets::watch_listener(int operation, bool is_wanted) {
  epoll_event event{};
  event.events = is_wanted ? std::uint32_t{EPOLLIN} : 0;
  event.data.u64 = static_cast<std::uint64_t>(kListener);
  return ::epoll_ctl(epoll_.get(), operation, listener_.get(), &event) == 0;
}

void StoreSockets::accept_some() {
  for (int i = 0; i < kAcceptsPerTurn && is_accepting_; ++i) {
    sockaddr_in6 remote{};
    socklen_t size = sizeof(remote);
    Fd socket(::accept4(listener_.get(), reinterpret_cast<sockaddr*>(&remote), &size,
                        SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (socket.is_open()) {
      take_in(std::move(socket), remote);
      continue;
    }
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      note("accepting nobody until a connection closes, " + std::to_string(open_) +
           " are open: " + std::strerror(errno));
      accept_again_ = now_ + kAcceptAgain;
      return pause_accepting();
    }
    if (errno == EBADF || errno == EINVAL || errno == ENOTSOCK) {
      failure_ = system_error("accept", errno);
      return pause_accepting();
    }
    if (errno == EAGAIN) return;
    // Else the connection itself is gone already (accept(2)).
  }
}

void StoreSockets::take_in(Fd socket, const sockaddr_in6& remote) {
  if (free_slots_.empty()) {
    free_slots_.push_back(ClientSlot{static_cast<std::uint32_t>(connections_.size())});
    connections_.emplace_back();
  }
  const ClientSlot client = free_slots_.back();
  free_slots_.pop_back();
  Connection& connection = at(client);
  connection.socket = std::move(socket);
  connection.remote = remote;
  ++connection.use;
  ++open_;
  ++unadmitted_count_;
  if (!options_.ask_admission) return admit(id_of(client));
  announce(client);
  unadmitted_.push_back({now_ + options_.admission_deadline, id_of(client)});
  if (unadmitted_count_ >= options_.unadmitted) pause_accepting();
}

void StoreSockets::announce(ClientSlot client) {
  Peer peer;
  peer.id = id_of(client);
  rendezvous::SocketAddress remote;
  std::memcpy(&remote.address, &at(client).remote, sizeof(at(client).remote));
  remote.size = sizeof(sockaddr_in6);
  peer.remote = rendezvous::endpoint_of(remote);
  const auto local = rendezvous::local_address(at(client).socket.get());
  if (local) peer.local = rendezvous::endpoint_of(*local);
  peers_.push_back(std::move(peer));
}

void StoreSockets::admit(PeerId peer) {
  const auto client = find(peer);
  if (!client || at(*client).is_admitted) return;
  at(*client).is_admitted = true;
  --unadmitted_count_;
  engine_.accept(*client);
  watch(*client, EPOLL_CTL_ADD, EPOLLIN);
  forget_decided();
  resume_accepting();
}

void StoreSockets::refuse(PeerId peer, std::string_view why, TimePoint now) {
  now_ = now;
  const auto client = find(peer);
  if (!client) return;
  note_of(*client, "refused", why);
  close_one(*client);
  forget_decided();
}

void StoreSockets::note_time(TimePoint now) {
  now_ = now;
  while (!unadmitted_.empty() && unadmitted_.front().deadline <= now) {
    refuse(unadmitted_.front().peer,
           "nobody said within " + std::to_string(options_.admission_deadline.count()) +
               " ms whether it may enter",
           now);
    forget_decided();
  }
  if (accept_again_ && *accept_again_ <= now) {
    accept_again_.reset();
    resume_accepting();
  }
}

std::optional<TimePoint> StoreSockets::next_deadline() const {
  std::optional<TimePoint> next = accept_again_;
  if (!unadmitted_.empty() && (!next || unadmitted_.front().deadline < *next))
    next = unadmitted_.front().deadline;
  return next;
}

void StoreSockets::forget_decided() {
  const auto is_decided = [this](PeerId peer) {
    const auto client = find(peer);
    return !client || at(*client).is_admitted;
  };
  while (!unadmitted_.empty() && is_decided(unadmitted_.front().peer)) unadmitted_.pop_front();
}

void StoreSockets::pause_accepting() {
  if (std::exchange(is_accepting_, false)) watch_listener(EPOLL_CTL_MOD, false);
}

void StoreSockets::resume_accepting() {
  if (is_accepting_ || failure_ || unadmitted_count_ >= options_.unadmitted) return;
  is_accepting_ = true;
  accept_again_.reset();
  watch_listener(EPOLL_CTL_MOD, true);
}

PeerId StoreSockets::id_of(ClientSlot client) const {
  const auto slot = static_cast<std::uint32_t>(client);
  return PeerId{std::uint64_t{connections_[slot].use} << 32 | slot};
}

std::optional<ClientSlot> StoreSockets::find(PeerId peer) const {
  const auto id = static_cast<std::uint64_t>(peer);
  const auto slot = static_cast<std::uint32_t>(id);
  if (slot >= connections_.size()) return std::nullopt;
  const Connection& connection = connections_[slot];
  if (!connection.socket.is_open() || connection.use != id >> 32) return std::nullopt;
  return ClientSlot{slot};
}

void StoreSockets::note_of(ClientSlot client, std::string_view what, std::string_view why) {
  rendezvous::SocketAddress remote;
  std::memcpy(&remote.address, &at(client).remote, sizeof(at(client).remote));
  remote.size = sizeof(sockaddr_in6);
  note(std::string(what) + " " + rendezvous::address_of(remote) + ": " + std::string(why) +
       " (from port " + std::to_string(rendezvous::port_of(remote)) + ")");
}

void StoreSockets::note(std::string_view line) {
  for (std::string& admitted : note_limiter_.admit(line, now_))
    notes_.push_back(std::move(admitted));
}

std::vector<Peer> StoreSockets::take_peers() {
  return std::exchange(peers_, {});
}

std::vector<std::string> StoreSockets::take_notes() {
  return std::exchange(notes_, {});
}

std::optional<Error> StoreSockets::take_failure() {
  return std::exchange(failure_, std::nullopt);
}

}  // namespace muster::tcpstore
