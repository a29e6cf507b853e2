#include "rendezvous/tcpstore/store_sockets.h"

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace muster::tcpstore {

namespace {

constexpr std::size_t kReadSize = 128 * 1024;
constexpr std::size_t kWritesPerTurn = 256;
constexpr auto kTurn = std::chrono::milliseconds(1);
constexpr std::size_t kEventsPerClockReading = 16;

}  // namespace

StoreSockets::StoreSockets(Fd listener, Fd epoll, StoreSocketsOptions options)
    : listener_(std::move(listener)),
      epoll_(std::move(epoll)),
      options_(options),
      engine_(options.limits),
      buffer_(std::make_unique<char[]>(kReadSize)) {}

Result<std::unique_ptr<StoreSockets>> StoreSockets::open(Fd listener, StoreSocketsOptions options) {
  Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.is_open()) return failure(system_error("epoll_create1", errno));
  std::unique_ptr<StoreSockets> sockets(
      new StoreSockets(std::move(listener), std::move(epoll), options));
  if (!sockets->watch_listener(EPOLL_CTL_ADD, true))
    return failure(system_error("epoll_ctl", errno));
  return sockets;
}

bool StoreSockets::turn(TimePoint now) {
  now_ = now;
  const int count = ::epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()), 0);
  if (count < 0 && errno != EINTR) failure_ = system_error("epoll_wait", errno);
  const auto ready = static_cast<std::size_t>(std::max(count, 0));
  // While there is work, looking again is cheaper than sleeping and being woken.
  bool may_be_more = ready > 0;
  for (std::size_t i = 0; i < ready; ++i) {
    const PeerId peer{events_[i].data.u64};
    if (peer == kListener) {
      accept_some();
    } else if (const auto client = find(peer)) {
      serve(*client, events_[i].events);
    }
    // What is left in events_ is told again by the next epoll_wait.
    if (i % kEventsPerClockReading == kEventsPerClockReading - 1 && Clock::now() - now >= kTurn) {
      may_be_more = true;
      break;
    }
  }
  return write_some_ready() || may_be_more;
}

void StoreSockets::serve(ClientSlot client, std::uint32_t events) {
  if ((events & EPOLLOUT) != 0) write_to(client);
  if ((events & ~std::uint32_t{EPOLLOUT}) != 0 && at(client).socket.is_open()) read_from(client);
}

void StoreSockets::read_from(ClientSlot client) {
  const ssize_t size = ::recv(at(client).socket.get(), buffer_.get(), kReadSize, 0);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) {
    if (size < 0 && errno == ETIMEDOUT) note_of(client, "lost", "it does not answer");
    return close_one(client);
  }
  engine_.receive(client, {buffer_.get(), static_cast<std::size_t>(size)});
  engine_.take_ready(ready_);
  write_to(client);
  if (engine_.has_closings()) close_breaches();
}

void StoreSockets::write_to(ClientSlot client) {
  Connection& connection = at(client);
  const std::string_view bytes = engine_.unsent(client);
  bool is_done = bytes.empty();
  if (!is_done) {
    const ssize_t size =
        ::send(connection.socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (size < 0 && errno != EAGAIN && errno != EINTR) return close_one(client);
    if (size > 0) engine_.note_sent(client, static_cast<std::size_t>(size));
    is_done = size > 0 && static_cast<std::size_t>(size) == bytes.size();
  }
  if (connection.wants_write == !is_done) return;
  connection.wants_write = !is_done;
  watch(client, EPOLL_CTL_MOD, is_done ? EPOLLIN : EPOLLIN | EPOLLOUT);
}

// Replies to others than the one who asked: a key that thousands wait for makes many. True when
// some are left for the next turn.
bool StoreSockets::write_some_ready() {
  const std::size_t end = std::min(ready_.size(), written_ + kWritesPerTurn);
  for (; written_ < end; ++written_) {
    const ClientSlot client = ready_[written_];
    const bool waits_for_room = at(client).wants_write;
    if (at(client).socket.is_open() && !waits_for_room) write_to(client);
  }
  if (written_ < ready_.size()) return true;
  ready_.clear();
  written_ = 0;
  return false;
}

void StoreSockets::close_breaches() {
  for (const Closing& closing : engine_.take_closings()) {
    if (!at(closing.client).socket.is_open()) continue;
    note_of(closing.client, "closing", closing.why.message());
    close_one(closing.client);
  }
}

void StoreSockets::close_one(ClientSlot client) {
  Connection& connection = at(client);
  if (connection.is_admitted) {
    engine_.disconnect(client);
    // A child between fork and exec still has the socket, and epoll would go on telling of it.
    ::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, connection.socket.get(), nullptr);
  } else {
    --unadmitted_count_;
  }
  connection.socket.reset();
  connection.is_admitted = false;
  connection.wants_write = false;
  free_slots_.push_back(client);
  --open_;
  resume_accepting();
}

void StoreSockets::watch(ClientSlot client, int operation, std::uint32_t events) {
  epoll_event event{};
  event.events = events;
  event.data.u64 = static_cast<std::uint64_t>(id_of(client));
  if (::epoll_ctl(epoll_.get(), operation, at(client).socket.get(), &event) == 0) return;
  note_of(client, "closing", std::string("it cannot be watched: ") + std::strerror(errno));
  close_one(client);
}

}  // namespace muster::tcpstore
