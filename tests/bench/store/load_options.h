// What the load generator is asked to do.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>

#include "rendezvous/base/result.h"
#include "tests/bench/store/packets.h"

namespace muster::bench {

struct LoadOptions {
  std::string host = "127.0.0.1";  // numeric
  std::uint16_t port = 0;
  std::uint32_t clients = 100;
  std::uint32_t threads = 1;
  Era era = Era::k2_2;
  std::size_t value_bytes = 128;
  std::chrono::milliseconds measured{3000};    // of set+wait+get
  std::chrono::milliseconds deadline{120000};  // of connecting, and of the barrier
  std::uint32_t connecting = 1000;             // connections on their way at once, per thread
  std::uint32_t per_source = 10000;            // clients per source address 127.0.0.x
  int server_pid = 0;                          // whose CPU time is taken too; 0 for none
  bool verify = true;                          // off for the echo server, which knows no values
  bool print_script = false;
  bool help = false;
};

Result<LoadOptions> parse_load_options(int argc, const char* const* argv);

}  // namespace muster::bench
