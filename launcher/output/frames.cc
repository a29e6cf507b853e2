#include "launcher/output/frames.h"

#include "rendezvous/base/bytes.h"

namespace muster::output {

std::string encode_frame(FrameKind kind, std::uint32_t file, std::string_view body) {
  ByteWriter writer;
  writer.u8(static_cast<std::uint8_t>(kind)).u32(file);
  writer.string(body);
  return writer.take();
}

void FrameParser::feed(std::string_view bytes) {
  bytes_.erase(0, taken_);
  taken_ = 0;
  bytes_ += bytes;
}

Result<std::optional<Frame>> FrameParser::next() {
  const std::string_view rest = std::string_view(bytes_).substr(taken_);
  if (rest.size() < kFrameHeader) return std::optional<Frame>();
  ByteReader reader(rest);
  const std::uint8_t kind = reader.u8();
  const std::uint32_t file = reader.u32();
  const std::uint32_t size = reader.u32();
  if (kind < static_cast<std::uint8_t>(FrameKind::kOpen) ||
      kind > static_cast<std::uint8_t>(FrameKind::kMake))
    return failure(ErrorCode::kProtocol, "writer frame: unknown kind " + std::to_string(kind));
  if (size > kMaxFrameBody)
    return failure(ErrorCode::kProtocol, "writer frame: " + std::to_string(size) + " bytes");
  if (rest.size() < kFrameHeader + size) return std::optional<Frame>();
  taken_ += kFrameHeader + size;
  return std::optional<Frame>(
      Frame{static_cast<FrameKind>(kind), file, rest.substr(kFrameHeader, size)});
}

}  // namespace muster::output
