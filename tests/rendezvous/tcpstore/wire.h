// Requests of both eras as bytes, for tests.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "rendezvous/tcpstore/operations.h"
#include "rendezvous/tcpstore/replies.h"

namespace muster::tcpstore::wire {

template <class Number>
std::string number(Number value) {
  std::string bytes;
  append_number(bytes, value);
  return bytes;
}

inline std::string string(std::string_view text) {
  std::string bytes;
  append_string(bytes, text);
  return bytes;
}

inline std::string opcode(Operation operation) {
  return std::string(1, static_cast<char>(operation));
}

inline std::string validate() {
  return opcode(Operation::kValidate) + number(kValidateMagic);
}

// An operation with strings behind it.
inline std::string request(Operation operation, std::initializer_list<std::string_view> strings) {
  std::string bytes = opcode(operation);
  for (const std::string_view text : strings) bytes += string(text);
  return bytes;
}

// An operation with a count of items and their strings.
inline std::string list(Operation operation, std::uint64_t count,
                        std::initializer_list<std::string_view> strings) {
  std::string bytes = opcode(operation) + number(count);
  for (const std::string_view text : strings) bytes += string(text);
  return bytes;
}

inline std::string set(std::string_view key, std::string_view value) {
  return request(Operation::kSet, {key, value});
}
inline std::string get(std::string_view key) {
  return request(Operation::kGet, {key});
}
inline std::string add(std::string_view key, std::int64_t delta) {
  return request(Operation::kAdd, {key}) + number(delta);
}
inline std::string barrier(std::string_view key, std::int64_t members) {
  return request(Operation::kBarrier, {key}) + number(members);
}
inline std::string wait(std::initializer_list<std::string_view> keys) {
  return list(Operation::kWait, keys.size(), keys);
}
inline std::string check(std::initializer_list<std::string_view> keys) {
  return list(Operation::kCheck, keys.size(), keys);
}
inline std::string cancel_wait() {
  return opcode(Operation::kCancelWait);
}

// The same with the old era's opcode in front. `place` is the old number.
inline std::string old(std::uint8_t place, std::string bytes) {
  bytes.front() = static_cast<char>(place);
  return bytes;
}

inline const std::string kStop = number(kStopWaiting);
inline const std::string kCanceled = number(kWaitCanceled);

}  // namespace muster::tcpstore::wire
