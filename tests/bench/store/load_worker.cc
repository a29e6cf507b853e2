#include "tests/bench/store/load_worker.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>

namespace muster::bench {

namespace {

constexpr int kEvents = 512;
constexpr std::chrono::seconds kLastReplies{30};
constexpr std::uint32_t kMaxSources = 250;

// Offset of the value in a round's packet: opcode, key, length.
std::size_t value_offset(std::string_view key) {
  return 1 + 8 + key.size() + 8;
}

template <class Number>
Number number_at(const std::string& bytes, std::size_t offset) {
  Number number{};
  std::memcpy(&number, bytes.data() + offset, sizeof(number));
  return number;
}

bool is_loopback_v4(const rendezvous::SocketAddress& where) {
  const auto& v4 = reinterpret_cast<const sockaddr_in&>(where.address);
  return where.address.ss_family == AF_INET && (ntohl(v4.sin_addr.s_addr) >> 24) == 127;
}

// 127.0.0.1, 127.0.0.2, ...: each has the whole local port range.
Status bind_source(int socket, std::uint32_t source) {
  if (source >= kMaxSources)
    return failure(ErrorCode::kLimit,
                   "too many clients for 250 source addresses: more --per-source");
  const int on = 1;
  ::setsockopt(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
  sockaddr_in from{};
  from.sin_family = AF_INET;
  from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + source);
  if (::bind(socket, reinterpret_cast<const sockaddr*>(&from), sizeof(from)) == 0) return {};
  return failure(system_error("bind to 127.0.0." + std::to_string(source + 1), errno));
}

}  // namespace

Result<LoadWorker> LoadWorker::create(const LoadOptions& options, std::uint32_t first,
                                      std::uint32_t count) {
  MUSTER_TRY(server, rendezvous::numeric_address(options.host, options.port));
  Fd epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.is_open()) return failure(system_error("epoll_create1", errno));
  LoadWorker worker(options, first, count, std::move(epoll));
  worker.server_ = server;
  return worker;
}

LoadWorker::LoadWorker(const LoadOptions& options, std::uint32_t first, std::uint32_t count,
                       Fd epoll)
    : options_(options),
      packets_(options.era, options.value_bytes),
      first_(first),
      epoll_(std::move(epoll)),
      clients_(count) {
  std::uint32_t index = first_;
  for (Client& client : clients_)
    client.packet =
        packets_.set_wait_get(client_key(index++), std::string(options_.value_bytes, 'v'));
}

std::uint32_t LoadWorker::index_of(const Client& client) const {
  return first_ + static_cast<std::uint32_t>(&client - clients_.data());
}

Error LoadWorker::broken(const Client& client, std::string_view what) const {
  return Error(ErrorCode::kProtocol,
               "client " + std::to_string(index_of(client)) + ": " + std::string(what));
}

Status LoadWorker::connect_all() {
  finished_ = 0;
  MUSTER_RETURN_IF_ERROR(start_connecting_some());
  return exchange(static_cast<std::uint32_t>(clients_.size()), Clock::now() + options_.deadline,
                  "connect");
}

Status LoadWorker::run_barrier() {
  finished_ = 0;
  for (Client& client : clients_)
    MUSTER_RETURN_IF_ERROR(
        send(client, packets_.add(kBarrierKey, 1), Packets::kAddReply, Stage::kAdd));
  return exchange(static_cast<std::uint32_t>(clients_.size()), Clock::now() + options_.deadline,
                  "barrier");
}

Status LoadWorker::run_rounds(TimePoint until) {
  finished_ = 0;
  rounds_ = 0;
  until_ = until;
  for (Client& client : clients_) MUSTER_RETURN_IF_ERROR(send_round(client));
  return exchange(static_cast<std::uint32_t>(clients_.size()), until + kLastReplies,
                  "set+wait+get");
}

// Not all at once: a full backlog would cost each client that meets it a second.
Status LoadWorker::start_connecting_some() {
  for (; started_ < clients_.size() && connecting_ < options_.connecting; ++started_) {
    Client& client = clients_[started_];
    MUSTER_RETURN_IF_ERROR(start_client(client, started_));
    ++connecting_;
  }
  return {};
}

Status LoadWorker::start_client(Client& client, std::uint32_t index) {
  client.socket.reset(
      ::socket(server_.address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!client.socket.is_open()) return failure(system_error("socket", errno));
  const int on = 1;
  ::setsockopt(client.socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  if (is_loopback_v4(server_))
    MUSTER_RETURN_IF_ERROR(
        bind_source(client.socket.get(), (first_ + index) / options_.per_source));
  if (::connect(client.socket.get(), reinterpret_cast<const sockaddr*>(&server_.address),
                server_.size) != 0 &&
      errno != EINPROGRESS)
    return failure(system_error("client " + std::to_string(first_ + index) + ": connect", errno));
  client.stage = Stage::kConnecting;
  epoll_event event{};
  event.events = EPOLLOUT;
  event.data.u32 = index;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, client.socket.get(), &event) != 0)
    return failure(system_error("epoll_ctl", errno));
  return {};
}

Status LoadWorker::exchange(std::uint32_t clients, TimePoint deadline, std::string_view phase) {
  std::array<epoll_event, kEvents> events;
  while (finished_ < clients) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0)
      return failure(ErrorCode::kTimeout, std::string(phase) + ": " + std::to_string(finished_) +
                                              " of " + std::to_string(clients) +
                                              " clients are done at the deadline");
    const int count = ::epoll_wait(epoll_.get(), events.data(), kEvents, static_cast<int>(left));
    if (count < 0 && errno != EINTR) return failure(system_error("epoll_wait", errno));
    for (int i = 0; i < count; ++i)
      MUSTER_RETURN_IF_ERROR(take_event(clients_[events[static_cast<std::size_t>(i)].data.u32]));
  }
  return {};
}

Status LoadWorker::take_event(Client& client) {
  return client.stage == Stage::kConnecting ? finish_connecting(client) : receive(client);
}

Status LoadWorker::finish_connecting(Client& client) {
  if (const int problem = rendezvous::take_error(client.socket.get()); problem != 0)
    return failure(
        system_error("client " + std::to_string(index_of(client)) + ": connect", problem));
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.u32 = index_of(client) - first_;
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, client.socket.get(), &event) != 0)
    return failure(system_error("epoll_ctl", errno));
  const std::string handshake = packets_.handshake(index_of(client));
  if (!handshake.empty())
    return send(client, handshake, Packets::kHandshakeReply, Stage::kHandshake);
  return send(client, packets_.add(kInitKey, 1), Packets::kAddReply, Stage::kInit);
}

// A packet is far smaller than the socket's buffer, and the one before has been answered.
Status LoadWorker::send(Client& client, std::string_view packet, std::size_t reply, Stage stage) {
  client.stage = stage;
  client.received = 0;
  client.expected = static_cast<std::uint32_t>(reply);
  client.reply.resize(reply);
  const ssize_t sent =
      ::send(client.socket.get(), packet.data(), packet.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  if (sent == static_cast<ssize_t>(packet.size())) return {};
  return failure(sent < 0 ? system_error("send", errno)
                          : broken(client, "the socket takes no more"));
}

Status LoadWorker::send_round(Client& client) {
  ++client.round;
  std::memcpy(client.packet.data() + value_offset(client_key(0)), &client.round,
              sizeof(client.round));
  return send(client, client.packet, packets_.set_wait_get_reply(), Stage::kRounds);
}

Status LoadWorker::receive(Client& client) {
  const ssize_t size = ::recv(client.socket.get(), client.reply.data() + client.received,
                              client.expected - client.received, MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return {};
  if (size < 0) return failure(broken(client, system_error("receive", errno).message()));
  if (client.stage == Stage::kIdle) return failure(broken(client, "bytes that nobody asked for"));
  if (size == 0) return failure(broken(client, "the server has closed the connection"));
  client.received += static_cast<std::uint32_t>(size);
  return client.received < client.expected ? Status{} : take_reply(client);
}

Status LoadWorker::take_reply(Client& client) {
  switch (client.stage) {
    case Stage::kHandshake:
      if (options_.verify && number_at<std::uint32_t>(client.reply, 0) != index_of(client))
        return failure(broken(client, "PING is answered with another number"));
      return send(client, packets_.add(kInitKey, 1), Packets::kAddReply, Stage::kInit);
    case Stage::kInit:
      --connecting_;
      finish(client);
      return start_connecting_some();
    case Stage::kAdd:
      return take_barrier_count(client);
    case Stage::kWait:
      if (options_.verify && client.reply[0] != 0)
        return failure(broken(client, "WAIT is answered with something else than STOP_WAITING"));
      finish(client);
      return {};
    case Stage::kRounds:
      return take_round(client);
    case Stage::kConnecting:
    case Stage::kIdle:
      break;
  }
  return failure(broken(client, "a reply at the wrong time"));
}

Status LoadWorker::take_barrier_count(Client& client) {
  const auto count = number_at<std::int64_t>(client.reply, 0);
  if (options_.verify && (count < 1 || count > options_.clients))
    return failure(broken(client, "the barrier's counter is " + std::to_string(count)));
  std::string packet;
  if (count == options_.clients) packet = packets_.set(kBarrierDoneKey, "1");
  packet += packets_.wait(kBarrierDoneKey);
  return send(client, packet, Packets::kWaitReply, Stage::kWait);
}

Status LoadWorker::take_round(Client& client) {
  const std::size_t value = Packets::kWaitReply + sizeof(std::uint64_t);
  if (options_.verify &&
      (client.reply[0] != 0 ||
       number_at<std::uint64_t>(client.reply, Packets::kWaitReply) != options_.value_bytes ||
       client.reply.compare(value, options_.value_bytes, client.packet, value_offset(client_key(0)),
                            options_.value_bytes) != 0))
    return failure(broken(client, "GET is answered with something else than was SET"));
  if (Clock::now() >= until_) {
    finish(client);
    return {};
  }
  ++rounds_;
  return send_round(client);
}

void LoadWorker::finish(Client& client) {
  client.stage = Stage::kIdle;
  client.expected = client.received + 1;  // so that a stray byte is read, and seen
  client.reply.resize(client.expected);
  ++finished_;
}

}  // namespace muster::bench
