// What a process says to its helpers and hears from them: the sidecar's calls and answers, the line
// of options of `muster-rendezvous serve` and its report, a group's shape.
//
//   input = u8 what | bytes
#include "rendezvous/group_variables.h"
#include "rendezvous/serve_messages.h"
#include "rendezvous/sidecar_messages.h"
#include "tests/fuzz/input.h"

namespace muster::rendezvous {
namespace {

void read_frames(std::string bytes) {
  std::string body;
  std::size_t size = bytes.size();
  while (true) {
    const Result<bool> taken = take_frame(bytes, body);
    if (!taken || !*taken) return;
    FUZZ_REQUIRE(body.size() <= kMaxSidecarFrame && bytes.size() < size);
    size = bytes.size();
  }
}

void read_call(std::string_view body) {
  const auto call = parse_call(body);
  if (call) FUZZ_REQUIRE(encode_call(*call) == body);
}

void read_answer(std::string_view body) {
  const auto answer = parse_answer(body);
  if (answer) FUZZ_REQUIRE(encode_answer(*answer) == body);
}

void read_serve_options(std::string_view line) {
  const auto options = parse_server_options(line);
  if (!options) return;
  const std::string written = to_json(*options);
  const auto again = parse_server_options(written);
  FUZZ_REQUIRE(again);
  FUZZ_REQUIRE(to_json(*again) == written);
}

void read_shape(std::string_view shape) {
  const auto members = members_of_shape(shape);
  if (members) FUZZ_REQUIRE(members_of_shape(shape_of(*members)) == members);
}

}  // namespace
}  // namespace muster::rendezvous

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace muster::rendezvous;
  muster::fuzz::Input input(data, size);
  const std::uint8_t what = input.u8();
  const std::string_view bytes = input.rest();
  switch (what % 6) {
    case 0:
      read_call(bytes);
      break;
    case 1:
      read_answer(bytes);
      break;
    case 2:
      read_serve_options(bytes);
      break;
    case 3:
      static_cast<void>(parse_serve_report(bytes));
      break;
    case 4:
      read_frames(std::string(bytes));
      break;
    case 5:
      read_shape(bytes);
      break;
  }
  return 0;
}
