// Fields: one description of each message's fields, used to write and to read them. Private to the
// codec.
//
// `fields(codec, message)` names every field once, in wire order. FieldWriter appends them,
// FieldReader fills them and enforces the limits; so the two directions cannot drift apart.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "rendezvous/base/bytes.h"
#include "rendezvous/messages.h"

namespace muster::rendezvous {

// The order is the wire's: code N is place N - 1.
inline constexpr std::array kWireErrorCodes = {
    ErrorCode::kInvalidArgument, ErrorCode::kNotFound,         ErrorCode::kUnavailable,
    ErrorCode::kTimeout,         ErrorCode::kPermissionDenied, ErrorCode::kProtocol,
    ErrorCode::kLimit,           ErrorCode::kCancelled,        ErrorCode::kSystem,
    ErrorCode::kUnsupported};

class FieldWriter {
 public:
  void constant(std::uint32_t value) { writer_.u32(value); }
  void number(std::uint32_t value) { writer_.u32(value); }
  void number(std::uint64_t value) { writer_.u64(value); }
  void number(std::int64_t value) { writer_.i64(value); }
  template <class Id>
  void id(Id value) {
    number(value_of(value));
  }
  void string(const std::string& value, std::size_t) { writer_.string(value); }
  void raw(const std::string& value, std::size_t size);
  void seats(const SeatSet& value, std::size_t) { writer_.string(value.bits()); }
  void code(ErrorCode value);
  void flag(bool value) { writer_.u8(value ? 1 : 0); }
  // An enumeration whose values are first ... last.
  template <class Enum>
  void choice(Enum value, Enum, Enum) {
    writer_.u8(static_cast<std::uint8_t>(value));
  }
  template <class Item, class Body>
  void list(const std::vector<Item>& items, std::uint32_t, Body body) {
    writer_.u32(static_cast<std::uint32_t>(items.size()));
    for (const Item& item : items) body(*this, item);
  }

  std::string take() { return writer_.take(); }

 private:
  ByteWriter writer_;
};

class FieldReader {
 public:
  explicit FieldReader(std::string_view bytes) : reader_(bytes) {}

  void constant(std::uint32_t value) { require(reader_.u32() == value); }
  void number(std::uint32_t& value) { value = reader_.u32(); }
  void number(std::uint64_t& value) { value = reader_.u64(); }
  void number(std::int64_t& value) { value = reader_.i64(); }
  template <class Id>
  void id(Id& value) {
    std::underlying_type_t<Id> bare{};
    number(bare);
    value = Id{bare};
  }
  void string(std::string& value, std::size_t limit) { value = reader_.string(limit); }
  void raw(std::string& value, std::size_t size) { value = reader_.raw(size); }
  void seats(SeatSet& value, std::size_t limit) {
    std::string bits(reader_.string(limit));
    require(SeatSet::is_canonical(bits));
    value = SeatSet::from_bits(std::move(bits));
  }
  void code(ErrorCode& value);
  void flag(bool& value) {
    const std::uint8_t byte = reader_.u8();
    require(byte <= 1);
    value = byte == 1;
  }
  template <class Enum>
  void choice(Enum& value, Enum first, Enum last) {
    const std::uint8_t byte = reader_.u8();
    require(byte >= static_cast<std::uint8_t>(first) && byte <= static_cast<std::uint8_t>(last));
    value = static_cast<Enum>(byte);
  }
  template <class Item, class Body>
  void list(std::vector<Item>& items, std::uint32_t limit, Body body) {
    const std::uint32_t count = reader_.count(limit);
    for (std::uint32_t i = 0; i < count && !reader_.failed(); ++i)
      body(*this, items.emplace_back());
  }

  Status finish(std::string_view what) const;

 private:
  void require(bool condition) { bad_value_ = bad_value_ || !condition; }

  ByteReader reader_;
  bool bad_value_ = false;
};

}  // namespace muster::rendezvous
