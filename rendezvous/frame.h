// Frames: how messages lie on a connection. Bounded, length-prefixed, versioned. Pure.
//
//   u32 size of the body | u8 version | u8 kind | u16 zero | u64 generation | body
//
// All numbers little endian. FrameReader collects what the network delivers, in pieces of any size,
// and gives whole frames. It knows nothing of what a body means (messages.h does).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "rendezvous/base/ids.h"
#include "rendezvous/base/result.h"

namespace muster::rendezvous {

inline constexpr std::uint8_t kProtocolVersion = 1;
inline constexpr std::size_t kFrameHeaderSize = 16;

// What each side accepts as a body. A server takes little from a connection that has proven
// nothing.
inline constexpr std::size_t kMaxUnprovenBody = 192u << 10;
inline constexpr std::size_t kMaxRequestBody = (1u << 20) + (64u << 10);
inline constexpr std::size_t kMaxReplyBody = 64u << 20;

struct Frame {
  std::uint8_t kind = 0;
  Generation generation{};
  std::string_view body;  // valid until the next call of the reader that gave it
};

// Header and body as they go over the wire. The body is at most kMaxReplyBody bytes (checked).
std::string encode_frame(std::uint8_t kind, Generation generation, std::string_view body);

class FrameReader {
 public:
  explicit FrameReader(std::size_t max_body) : max_body_(max_body) {}

  // For the moment when the peer has proven who it is.
  void set_max_body(std::size_t max_body) { max_body_ = max_body; }

  void push(std::string_view bytes);

  // The next whole frame; nothing when more bytes are needed; an error (kProtocol) when the bytes
  // are not ours: the connection is then of no use, and every later call gives the same error.
  Result<std::optional<Frame>> next();

 private:
  std::size_t max_body_;
  std::string buffer_;
  std::size_t used_ = 0;  // bytes at the front of buffer_ that were given out
};

}  // namespace muster::rendezvous
