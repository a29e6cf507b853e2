// What the fuzz targets of both engines share: how their input says frames, and what every frame
// that an engine sends must be.
#pragma once

#include <algorithm>
#include <string>

#include "rendezvous/messages.h"
#include "tests/fuzz/input.h"

namespace muster::rendezvous {

// u8 kind | u8 generation | u16 size | body: with the right length, whatever is in it.
inline std::string take_frame(fuzz::Input& input) {
  const std::uint8_t kind = input.u8();
  const Generation generation{input.u8()};
  const std::size_t size = input.u16();
  return encode_frame(kind, generation, input.take(size));
}

inline Message check_sent(const FrameBytes& bytes, Generation& generation) {
  FrameReader reader(kMaxReplyBody);
  reader.push(*bytes);
  const auto frame = reader.next();
  FUZZ_REQUIRE(frame && frame->has_value());
  generation = (*frame)->generation;
  Result<Message> message = parse(**frame);
  FUZZ_REQUIRE(message);
  FUZZ_REQUIRE(encode(*message, generation) == *bytes);
  return std::move(*message);
}

// Feeds `bytes` to `hear` in pieces of that size; 0: in one.
template <class Hear>
void in_pieces(std::string_view bytes, std::size_t piece, const Hear& hear) {
  if (piece == 0) piece = bytes.size();
  for (; !bytes.empty(); bytes.remove_prefix(std::min(piece, bytes.size())))
    hear(bytes.substr(0, piece));
}

}  // namespace muster::rendezvous
