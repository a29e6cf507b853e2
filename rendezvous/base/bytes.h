// ByteWriter and ByteReader: the one way numbers and strings become bytes and back.
//
// Little endian, no padding. A string is a u32 length and that many bytes. The reader never throws
// and never reads past its end: the first bad read makes it fail for good, every later read gives
// zero or empty, and `finish()` says whether all went well. So a parser reads all fields of a
// message and checks once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "rendezvous/base/result.h"

namespace muster {

class ByteWriter {
 public:
  ByteWriter& u8(std::uint8_t value);
  ByteWriter& u16(std::uint16_t value);
  ByteWriter& u32(std::uint32_t value);
  ByteWriter& u64(std::uint64_t value);
  ByteWriter& i64(std::int64_t value) { return u64(static_cast<std::uint64_t>(value)); }
  ByteWriter& string(std::string_view value);  // u32 length, then the bytes
  ByteWriter& raw(std::string_view bytes);     // the bytes alone

  const std::string& bytes() const { return bytes_; }
  std::string take() { return std::move(bytes_); }

 private:
  std::string bytes_;
};

// Views the bytes it is given; they must outlive it and every view it returns.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : rest_(bytes) {}

  std::uint8_t u8();
  std::uint16_t u16();
  std::uint32_t u32();
  std::uint64_t u64();
  std::int64_t i64() { return static_cast<std::int64_t>(u64()); }
  // At most `limit` bytes long; a longer one fails the reader.
  std::string_view string(std::size_t limit);
  std::string_view raw(std::size_t size);

  // A count of items that follow, at most `limit`.
  std::uint32_t count(std::uint32_t limit);

  bool failed() const { return failed_; }
  std::size_t remaining() const { return rest_.size(); }

  // Ok when nothing failed and nothing is left; otherwise kProtocol, naming `what`.
  Status finish(std::string_view what) const;

 private:
  std::uint64_t number(std::size_t size);
  void fail();

  std::string_view rest_;
  bool failed_ = false;
};

}  // namespace muster
