#include "rendezvous/tcpstore/socket_owner.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>

#include "rendezvous/base/time.h"
#include "rendezvous/sockets.h"
#include "rendezvous/tcpstore/tcp_table.h"

namespace muster::tcpstore {

namespace {

// The kernel answers inside send(); the limit is for what is no Linux.
constexpr auto kReplyDeadline = std::chrono::milliseconds(250);
constexpr std::size_t kV4Offset = 12;

struct Question {
  nlmsghdr head{};
  inet_diag_req_v2 body{};
};

// What netlink says: a row, no such connection (row empty), or no answer at all.
struct Answer {
  bool answered = false;
  std::optional<TcpRow> row;
};

void put_address(const AddressBytes& address, __be32 (&to)[4]) {
  if (is_v4(address))
    std::memcpy(to, address.data() + kV4Offset, address.size() - kV4Offset);
  else
    std::memcpy(to, address.data(), address.size());
}

AddressBytes take_address(int family, const __be32 (&from)[4]) {
  AddressBytes address{};
  if (family == AF_INET6) {
    std::memcpy(address.data(), from, address.size());
    return address;
  }
  address[10] = address[11] = 0xff;
  std::memcpy(address.data() + kV4Offset, from, address.size() - kV4Offset);
  return address;
}

// Without NLM_F_DUMP it is a look-up in the kernel's hash, not a walk over all connections.
Question ask_for(const TcpPair& pair, std::uint32_t sequence) {
  Question question;
  question.head.nlmsg_len = sizeof(Question);
  question.head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
  question.head.nlmsg_flags = NLM_F_REQUEST;
  question.head.nlmsg_seq = sequence;
  const bool v4 = is_v4(pair.local) && is_v4(pair.remote);
  question.body.sdiag_family = v4 ? AF_INET : AF_INET6;
  question.body.sdiag_protocol = IPPROTO_TCP;
  question.body.idiag_states = ~0U;
  question.body.id.idiag_sport = htons(pair.local_port);
  question.body.id.idiag_dport = htons(pair.remote_port);
  put_address(pair.local, question.body.id.idiag_src);
  put_address(pair.remote, question.body.id.idiag_dst);
  std::fill(std::begin(question.body.id.idiag_cookie), std::end(question.body.id.idiag_cookie),
            INET_DIAG_NOCOOKIE);
  return question;
}

TcpRow row_of(const inet_diag_msg& message) {
  TcpRow row;
  row.pair.local = take_address(message.idiag_family, message.id.idiag_src);
  row.pair.local_port = ntohs(message.id.idiag_sport);
  row.pair.remote = take_address(message.idiag_family, message.id.idiag_dst);
  row.pair.remote_port = ntohs(message.id.idiag_dport);
  row.state = message.idiag_state;
  row.uid = message.idiag_uid;
  row.inode = message.idiag_inode;
  return row;
}

template <class Body>
std::optional<Body> body_of(const nlmsghdr& head, const char* bytes) {
  if (head.nlmsg_len < NLMSG_LENGTH(sizeof(Body))) return std::nullopt;
  Body body;
  std::memcpy(&body, bytes + NLMSG_HDRLEN, sizeof(body));
  return body;
}

Answer read_answer(const nlmsghdr& head, const char* bytes) {
  if (head.nlmsg_type == SOCK_DIAG_BY_FAMILY) {
    const auto message = body_of<inet_diag_msg>(head, bytes);
    if (message) return {true, row_of(*message)};
  }
  if (head.nlmsg_type == NLMSG_ERROR) {
    const auto problem = body_of<nlmsgerr>(head, bytes);
    if (problem && problem->error == -ENOENT) return {true, std::nullopt};
  }
  return {};
}

// Replies to questions given up earlier have other sequence numbers and are dropped.
Answer receive_answer(int netlink, std::uint32_t sequence) {
  alignas(nlmsghdr) std::array<char, 8192> bytes;
  const TimePoint deadline = Clock::now() + kReplyDeadline;
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    pollfd ready{netlink, POLLIN, 0};
    if (left.count() <= 0 || ::poll(&ready, 1, static_cast<int>(left.count())) <= 0) return {};
    const ssize_t size = ::recv(netlink, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (size < static_cast<ssize_t>(sizeof(nlmsghdr))) return {};
    nlmsghdr head;
    std::memcpy(&head, bytes.data(), sizeof(head));
    if (head.nlmsg_len > static_cast<std::size_t>(size)) return {};
    if (head.nlmsg_seq == sequence) return read_answer(head, bytes.data());
  }
}

Answer ask_kernel(int netlink, const TcpPair& pair, std::uint32_t sequence) {
  const Question question = ask_for(pair, sequence);
  if (::send(netlink, &question, sizeof(question), MSG_DONTWAIT) != sizeof(question)) return {};
  return receive_answer(netlink, sequence);
}

// A kernel that lacks tcp_diag says "no such connection" to every question, so it is first asked
// for one that exists: the look-up finds a listener where it finds no connection.
bool finds_sockets(int netlink) {
  auto listener = rendezvous::listen_on("127.0.0.1", 0);
  if (!listener) return false;
  const auto where = rendezvous::local_address(listener->get());
  if (!where) return false;
  const auto loopback = address_bytes("127.0.0.1").value();
  const TcpPair pair{loopback, rendezvous::port_of(*where), loopback, 1};
  const Answer answer = ask_kernel(netlink, pair, 0);
  return answer.row && answer.row->pair.local_port == pair.local_port;
}

bool is_link_local(const AddressBytes& address) {
  return address[0] == 0xfe && (address[1] & 0xc0) == 0x80;
}

Result<std::string> read_table(const char* path) {
  std::ifstream file(path);
  if (!file) return failure(ErrorCode::kUnavailable, std::string("cannot read ") + path);
  std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (text.empty()) return failure(ErrorCode::kUnavailable, std::string(path) + " is empty");
  return text;
}

Result<std::optional<std::uint32_t>> find_in_tables(const TcpPair& pair) {
  const bool v4 = is_v4(pair.local) && is_v4(pair.remote);
  if (v4) {
    MUSTER_TRY(table, read_table("/proc/net/tcp"));
    const auto owner = find_tcp_owner(table, pair);
    if (owner) return owner;
  }
  auto table = read_table("/proc/net/tcp6");  // has the v4-mapped ones
  if (table) return find_tcp_owner(*table, pair);
  if (v4) return std::nullopt;  // a machine without v6
  return failure(table.error());
}

}  // namespace

SocketOwners SocketOwners::open() {
  Fd netlink(::socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG));
  if (!netlink.is_open() || !finds_sockets(netlink.get())) return open_without_netlink();
  return SocketOwners(std::move(netlink));
}

Result<std::optional<std::uint32_t>> SocketOwners::find(const rendezvous::Endpoint& local,
                                                        const rendezvous::Endpoint& remote) {
  TcpPair pair;
  MUSTER_TRY(local_bytes, address_bytes(local.address));
  MUSTER_TRY(remote_bytes, address_bytes(remote.address));
  pair = {local_bytes, local.port, remote_bytes, remote.port};
  // The kernel's look-up of a link-local pair wants the interface, which an Endpoint does not have.
  if (!netlink_.is_open() || is_link_local(pair.local)) return find_in_tables(pair);
  const Answer answer = ask_kernel(netlink_.get(), pair, ++sequence_);
  if (!answer.answered) return find_in_tables(pair);
  if (!answer.row || answer.row->pair != pair || !has_owner(*answer.row)) return std::nullopt;
  return answer.row->uid;
}

}  // namespace muster::tcpstore
