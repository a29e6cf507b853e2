// Requests as values. All strings are views of the bytes the request was read from.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>
#include <utility>
#include <variant>

#include "rendezvous/tcpstore/operations.h"

namespace muster::tcpstore {

// Reads fields of bytes that RequestScanner found complete: no check is made here. Numbers are raw
// memory of the client's machine, which has our byte order.
class FieldReader {
 public:
  explicit FieldReader(std::string_view checked) : rest_(checked) {}

  template <class Number>
  Number number() {
    Number value;
    std::memcpy(&value, rest_.data(), sizeof(value));
    rest_.remove_prefix(sizeof(value));
    return value;
  }
  std::string_view string() {
    const auto size = number<std::uint64_t>();
    const std::string_view bytes = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return bytes;
  }
  std::string_view rest() const { return rest_; }

 private:
  std::string_view rest_;
};

// A list of keys, or of keys and values, read item by item: it is never copied into a container.
struct FieldList {
  std::uint64_t count = 0;
  std::string_view bytes;

  FieldReader reader() const { return FieldReader(bytes); }
};

struct Validate {
  std::uint32_t magic = 0;
};
struct Ping {
  std::uint32_t nonce = 0;
};
struct Set {
  std::string_view key, value;
};
struct CompareSet {
  std::string_view key, expected, desired;
};
struct Get {
  std::string_view key;
};
struct Add {
  std::string_view key;
  std::int64_t delta = 0;
};
struct Check {
  FieldList keys;
};
struct Wait {
  FieldList keys;
};
struct CountKeys {};
struct DeleteKey {
  std::string_view key;
};
struct Append {
  std::string_view key, value;
};
struct MultiGet {
  FieldList keys;
};
struct MultiSet {
  FieldList pairs;  // key, value, key, value
};
struct CancelWait {};
struct QueuePush {
  std::string_view key, value;
};
struct QueuePop {
  std::string_view key;
};
struct QueueLength {
  std::string_view key;
};
struct ListKeys {};
struct Barrier {
  std::string_view key;
  std::int64_t members = 0;
};
struct WatchKey {
  std::string_view key;
};

// The alternatives stand in the order of Operation.
using Request = std::variant<Validate, Set, CompareSet, Get, Add, Check, Wait, CountKeys, DeleteKey,
                             Append, MultiGet, MultiSet, CancelWait, Ping, QueuePush, QueuePop,
                             QueueLength, ListKeys, Barrier, WatchKey>;

inline Operation operation_of(const Request& request) {
  return static_cast<Operation>(request.index());
}

// `checked` is what follows the opcode, found complete by RequestScanner.
Request read_request(Operation operation, std::string_view checked);

}  // namespace muster::tcpstore
