// What the launcher's coordinator and agents say to each other, and an agent's facts. Promise: what
// parses can be told on; a byte that means the same as another is not, so bytes settle in one
// round; a worker's end, which decides what a job's death is called, is told on as it was told.
//
//   input = u8 what | bytes
#include "launcher/coordinator/agent_facts.h"
#include "launcher/coordinator/messages.h"
#include "tests/fuzz/input.h"

namespace muster::launcher {
namespace {

template <class Parsed>
bool must_be_as_told(const Parsed&) {
  return false;
}
bool must_be_as_told(const FromAgent& message) {
  return std::holds_alternative<WorkerEnded>(message);
}

template <class Parse>
void read(std::string_view bytes, Parse parse) {
  const auto parsed = parse(bytes);
  if (!parsed) {
    FUZZ_REQUIRE(!parsed.error().message().empty());
    return;
  }
  FUZZ_REQUIRE(!must_be_as_told(*parsed) || encode(*parsed) == bytes);
  const auto again = parse(encode(*parsed));
  FUZZ_REQUIRE(again);
  const std::string written = encode(*again);
  const auto third = parse(written);
  FUZZ_REQUIRE(third);
  FUZZ_REQUIRE(encode(*third) == written);
}

}  // namespace
}  // namespace muster::launcher

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace muster::launcher;
  muster::fuzz::Input input(data, size);
  const std::uint8_t what = input.u8();
  const std::string_view bytes = input.rest();
  switch (what % 3) {
    case 0:
      read(bytes, parse_to_agent);
      break;
    case 1:
      read(bytes, parse_from_agent);
      break;
    case 2:
      read(bytes, parse_agent_facts);
      break;
  }
  return 0;
}
