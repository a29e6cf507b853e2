// Frames and messages of the agents' door. Promises: the cuts between the pieces change nothing,
// and what parses encodes to the same bytes again (the proofs rely on it).
//
//   input = u8 largest piece (0: one piece) | bytes as they come over the wire
#include <algorithm>
#include <vector>

#include "rendezvous/messages.h"
#include "tests/fuzz/input.h"

namespace muster::rendezvous {
namespace {

struct Reading {
  std::vector<std::string> frames;  // as they were encoded
  bool broken = false;

  bool operator==(const Reading&) const = default;
};

void drain(FrameReader& reader, Reading& reading) {
  while (true) {
    const Result<std::optional<Frame>> next = reader.next();
    if (!next) {
      FUZZ_REQUIRE(next.error().code() == ErrorCode::kProtocol);
      FUZZ_REQUIRE(!reader.next());  // of no use any more
      reading.broken = true;
      return;
    }
    if (!*next) return;
    const Frame& frame = **next;
    FUZZ_REQUIRE(frame.body.size() <= kMaxRequestBody);
    reading.frames.push_back(encode_frame(frame.kind, frame.generation, frame.body));
    const Result<Message> message = parse(frame);
    if (message) FUZZ_REQUIRE(encode(*message, frame.generation) == reading.frames.back());
  }
}

Reading read_in_pieces(std::string_view bytes, std::size_t piece) {
  FrameReader reader(kMaxRequestBody);
  Reading reading;
  while (!bytes.empty() && !reading.broken) {
    reader.push(bytes.substr(0, piece));
    bytes.remove_prefix(std::min(piece, bytes.size()));
    drain(reader, reading);
  }
  return reading;
}

}  // namespace
}  // namespace muster::rendezvous

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace muster::rendezvous;
  muster::fuzz::Input input(data, size);
  const std::size_t piece = input.u8();
  const std::string_view bytes = input.rest();
  const Reading whole = read_in_pieces(bytes, bytes.size() + 1);
  if (piece > 0) FUZZ_REQUIRE(read_in_pieces(bytes, piece) == whole);
  std::string joined;
  for (const std::string& frame : whole.frames) joined += frame;
  FUZZ_REQUIRE(bytes.starts_with(joined));
  return 0;
}
