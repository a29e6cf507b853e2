#include "rendezvous/base/bytes.h"

#include "rendezvous/base/check.h"

namespace muster {

namespace {

void append_number(std::string& bytes, std::uint64_t value, std::size_t size) {
  for (std::size_t i = 0; i < size; ++i)
    bytes.push_back(static_cast<char>((value >> (8 * i)) & 0xff));
}

}  // namespace

ByteWriter& ByteWriter::u8(std::uint8_t value) {
  append_number(bytes_, value, 1);
  return *this;
}

ByteWriter& ByteWriter::u16(std::uint16_t value) {
  append_number(bytes_, value, 2);
  return *this;
}

ByteWriter& ByteWriter::u32(std::uint32_t value) {
  append_number(bytes_, value, 4);
  return *this;
}

ByteWriter& ByteWriter::u64(std::uint64_t value) {
  append_number(bytes_, value, 8);
  return *this;
}

ByteWriter& ByteWriter::string(std::string_view value) {
  MUSTER_CHECK(value.size() <= UINT32_MAX);
  return u32(static_cast<std::uint32_t>(value.size())).raw(value);
}

ByteWriter& ByteWriter::raw(std::string_view bytes) {
  bytes_.append(bytes);
  return *this;
}

std::uint8_t ByteReader::u8() {
  return static_cast<std::uint8_t>(number(1));
}
std::uint16_t ByteReader::u16() {
  return static_cast<std::uint16_t>(number(2));
}
std::uint32_t ByteReader::u32() {
  return static_cast<std::uint32_t>(number(4));
}
std::uint64_t ByteReader::u64() {
  return number(8);
}

std::string_view ByteReader::string(std::size_t limit) {
  const std::uint32_t size = u32();
  if (size > limit) {
    fail();
    return {};
  }
  return raw(size);
}

std::string_view ByteReader::raw(std::size_t size) {
  if (failed_ || size > rest_.size()) {
    fail();
    return {};
  }
  const std::string_view bytes = rest_.substr(0, size);
  rest_.remove_prefix(size);
  return bytes;
}

std::uint32_t ByteReader::count(std::uint32_t limit) {
  const std::uint32_t value = u32();
  if (value > limit) {
    fail();
    return 0;
  }
  return value;
}

Status ByteReader::finish(std::string_view what) const {
  if (failed_)
    return failure(ErrorCode::kProtocol, std::string(what) + ": cut short or over a limit");
  if (!rest_.empty()) {
    return failure(ErrorCode::kProtocol,
                   std::string(what) + ": " + std::to_string(rest_.size()) + " bytes too many");
  }
  return {};
}

std::uint64_t ByteReader::number(std::size_t size) {
  const std::string_view bytes = raw(size);
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    value |= static_cast<std::uint64_t>(static_cast<unsigned char>(bytes[i])) << (8 * i);
  }
  return value;
}

void ByteReader::fail() {
  failed_ = true;
  rest_ = {};
}

}  // namespace muster
