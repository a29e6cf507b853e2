#include "rendezvous/tcpstore/tcp_table.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <vector>

namespace muster::tcpstore {

namespace {

constexpr std::array<std::uint8_t, 12> kV4Prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr std::size_t kWordDigits = 8;

// Fields of a row, separated by blanks (proc(5)).
enum Field : std::size_t {
  kLocal = 1,
  kRemote = 2,
  kState = 3,
  kUid = 7,
  kInode = 9,
  kFields = 10
};

std::vector<std::string_view> split_fields(std::string_view line) {
  std::vector<std::string_view> fields;
  while (fields.size() < kFields) {
    const std::size_t begin = line.find_first_not_of(' ');
    if (begin == std::string_view::npos) break;
    line.remove_prefix(begin);
    const std::size_t end = std::min(line.find(' '), line.size());
    fields.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return fields;
}

template <class Number>
bool read_number(std::string_view text, int base, Number& number) {
  const char* end = text.data() + text.size();
  const auto [stop, problem] = std::from_chars(text.data(), end, number, base);
  return problem == std::errc() && stop == end;
}

// The kernel prints each 32-bit word of an address as a number in the byte order of this machine.
bool read_address(std::string_view text, AddressBytes& address) {
  const bool v4 = text.size() == kWordDigits;
  if (!v4 && text.size() != 4 * kWordDigits) return false;
  std::uint8_t* to = address.data();
  if (v4) to = std::copy(kV4Prefix.begin(), kV4Prefix.end(), to);
  for (; !text.empty(); text.remove_prefix(kWordDigits), to += sizeof(std::uint32_t)) {
    std::uint32_t word = 0;
    if (!read_number(text.substr(0, kWordDigits), 16, word)) return false;
    std::memcpy(to, &word, sizeof(word));
  }
  return true;
}

bool read_end(std::string_view text, AddressBytes& address, std::uint16_t& port) {
  const std::size_t colon = text.find(':');
  return colon != std::string_view::npos && read_address(text.substr(0, colon), address) &&
         read_number(text.substr(colon + 1), 16, port);
}

}  // namespace

Result<AddressBytes> address_bytes(const std::string& address) {
  const std::string plain = address.substr(0, address.find('%'));
  AddressBytes bytes{};
  if (::inet_pton(AF_INET6, plain.c_str(), bytes.data()) == 1) return bytes;
  std::copy(kV4Prefix.begin(), kV4Prefix.end(), bytes.begin());
  if (::inet_pton(AF_INET, plain.c_str(), bytes.data() + kV4Prefix.size()) == 1) return bytes;
  return failure(ErrorCode::kInvalidArgument, "'" + address + "' is no numeric address");
}

bool is_v4(const AddressBytes& address) {
  return std::equal(kV4Prefix.begin(), kV4Prefix.end(), address.begin());
}

bool has_owner(const TcpRow& row) {
  if (row.inode == 0) return false;
  switch (row.state) {
    case TCP_ESTABLISHED:
    case TCP_FIN_WAIT1:
    case TCP_FIN_WAIT2:
    case TCP_CLOSE_WAIT:
    case TCP_LAST_ACK:
    case TCP_CLOSING:
      return true;
    default:
      return false;
  }
}

std::optional<TcpRow> parse_tcp_row(std::string_view line) {
  const std::vector<std::string_view> fields = split_fields(line);
  TcpRow row;
  if (fields.size() < kFields || !read_end(fields[kLocal], row.pair.local, row.pair.local_port) ||
      !read_end(fields[kRemote], row.pair.remote, row.pair.remote_port) ||
      !read_number(fields[kState], 16, row.state) || !read_number(fields[kUid], 10, row.uid) ||
      !read_number(fields[kInode], 10, row.inode))
    return std::nullopt;
  return row;
}

// Tables have tens of thousands of rows: only those that name the local port are parsed.
std::optional<std::uint32_t> find_tcp_owner(std::string_view table, const TcpPair& pair) {
  std::array<char, 8> port_text{};
  std::snprintf(port_text.data(), port_text.size(), ":%04X ", pair.local_port);
  std::optional<std::uint32_t> owner;
  for (std::size_t at = 0; (at = table.find(port_text.data(), at)) != std::string_view::npos;) {
    const std::size_t begin = table.rfind('\n', at) + 1;  // npos + 1 is 0, the table's begin
    const std::size_t end = std::min(table.find('\n', at), table.size());
    const std::optional<TcpRow> row = parse_tcp_row(table.substr(begin, end - begin));
    at = end;
    if (!row || row->pair != pair || !has_owner(*row)) continue;
    if (owner && *owner != row->uid) return std::nullopt;
    owner = row->uid;
  }
  return owner;
}

}  // namespace muster::tcpstore
