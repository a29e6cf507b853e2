// The frames that go through the pipe to the writer child, and their parser. Pure.
//
// A frame is: u8 kind, u32 file, u32 size, then `size` bytes (path or data). Little endian.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "rendezvous/base/result.h"

namespace muster::output {

enum class FrameKind : std::uint8_t { kOpen = 1, kAdopt, kData, kClose, kMake };

struct Frame {
  FrameKind kind = FrameKind::kData;
  std::uint32_t file = 0;
  std::string_view body;  // a view into the parser's bytes
};

inline constexpr std::size_t kFrameHeader = 9;
inline constexpr std::size_t kMaxFrameBody = 1024 * 1024;

std::string encode_frame(FrameKind kind, std::uint32_t file, std::string_view body);

class FrameParser {
 public:
  void feed(std::string_view bytes);
  // The next whole frame, nullopt when more bytes are needed. Its view lives until the next call.
  Result<std::optional<Frame>> next();
  std::size_t waiting() const { return bytes_.size() - taken_; }

 private:
  std::string bytes_;
  std::size_t taken_ = 0;
};

}  // namespace muster::output
