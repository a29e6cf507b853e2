// The kernel's table of TCP connections as text, /proc/net/tcp and /proc/net/tcp6: one row parsed,
// one row found. Pure: it is given the text, it opens nothing.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "rendezvous/base/result.h"

namespace muster::tcpstore {

// In network byte order; IPv4 in its v4-mapped v6 form, so that both families compare.
using AddressBytes = std::array<std::uint8_t, 16>;

// kInvalidArgument for a name. A zone ("%eth0") is dropped: the tables have none.
Result<AddressBytes> address_bytes(const std::string& address);
bool is_v4(const AddressBytes& address);

struct TcpPair {
  AddressBytes local{};
  std::uint16_t local_port = 0;
  AddressBytes remote{};
  std::uint16_t remote_port = 0;

  bool operator==(const TcpPair&) const = default;
};

struct TcpRow {
  TcpPair pair;
  std::uint8_t state = 0;  // as in netinet/tcp.h
  std::uint32_t uid = 0;
  std::uint64_t inode = 0;

  bool operator==(const TcpRow&) const = default;
};

// A program holds this socket. Not so in TIME_WAIT, while it listens, before it is accepted, and
// after its owner has closed it: then the kernel shows uid 0 and inode 0, whoever it was.
bool has_owner(const TcpRow& row);

// Nothing for the head line and for what is no row.
std::optional<TcpRow> parse_tcp_row(std::string_view line);

// The owner of `pair` in a whole table. Nothing when there is none, or when rows of several users
// fit (the same link-local addresses on two interfaces).
std::optional<std::uint32_t> find_tcp_owner(std::string_view table, const TcpPair& pair);

}  // namespace muster::tcpstore
