#include "rendezvous/frame.h"

#include "rendezvous/base/bytes.h"
#include "rendezvous/base/check.h"

namespace muster::rendezvous {

std::string encode_frame(std::uint8_t kind, Generation generation, std::string_view body) {
  MUSTER_CHECK(body.size() <= kMaxReplyBody);
  ByteWriter writer;
  writer.u32(static_cast<std::uint32_t>(body.size())).u8(kProtocolVersion).u8(kind).u16(0);
  writer.u64(value_of(generation)).raw(body);
  return writer.take();
}

void FrameReader::push(std::string_view bytes) {
  if (used_ > 0) {
    buffer_.erase(0, used_);
    used_ = 0;
  }
  buffer_.append(bytes);
}

Result<std::optional<Frame>> FrameReader::next() {
  const std::string_view rest = std::string_view(buffer_).substr(used_);
  if (rest.size() < kFrameHeaderSize) return std::optional<Frame>();
  ByteReader header(rest.substr(0, kFrameHeaderSize));
  const std::uint32_t size = header.u32();
  const std::uint8_t version = header.u8();
  Frame frame;
  frame.kind = header.u8();
  const std::uint16_t zero = header.u16();
  frame.generation = Generation{header.u64()};
  if (version != kProtocolVersion || zero != 0) {
    return failure(ErrorCode::kProtocol, "not a frame of protocol version " +
                                             std::to_string(kProtocolVersion) + " (version byte " +
                                             std::to_string(version) + ")");
  }
  if (size > max_body_) {
    return failure(ErrorCode::kProtocol, "a frame of " + std::to_string(size) +
                                             " bytes, where at most " + std::to_string(max_body_) +
                                             " are taken");
  }
  if (rest.size() - kFrameHeaderSize < size) return std::optional<Frame>();
  frame.body = rest.substr(kFrameHeaderSize, size);
  used_ += kFrameHeaderSize + size;
  return std::optional<Frame>(frame);
}

}  // namespace muster::rendezvous
