// What muster-simulate is asked to do. A value; parsing is in options.cc.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rendezvous/base/result.h"
#include "rendezvous/base/time.h"
#include "rendezvous/types.h"

namespace muster::simulate {

struct Options {
  std::uint32_t agents = 256;
  std::uint32_t processes = 2;  // that share the agents; the coordinator has one more of its own
  rendezvous::AuthenticationMethod method = rendezvous::AuthenticationMethod::kNone;
  std::string munge_socket;
  Duration delay{0};       // each agent starts at a random moment of it
  std::uint32_t late = 0;  // so many start after `late_by`
  Duration late_by{1000};
  std::uint32_t drop = 0;    // so many lose their first connection while they join, and come again
  std::uint32_t rounds = 3;  // of each collective
  std::uint32_t bytes = 8;   // of each contribution, and of the broadcast
  std::uint32_t facts = 64;  // bytes that each agent says of itself
  std::uint32_t skip_gather_over = 4096;  // its answers are N x N x bytes
  bool wants_roster = false;  // every agent takes the members' list, not only its digest
  std::uint64_t seed = 1;
  Duration deadline{60'000};
  std::string json_file;  // the report goes there too
};

// Nothing when --help was printed.
Result<Options> parse_options(int argc, const char* const* argv, bool& help);

}  // namespace muster::simulate
