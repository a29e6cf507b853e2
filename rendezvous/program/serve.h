// `muster-rendezvous serve`: a rendezvous server as a process of its own. Blocks until it is over.
//
// Reads its options as one line of JSON from stdin (serve_messages.h), answers {"port":N} or
// {"error":"..."} on stdout, serves, and ends when all members left or are lost, or the assembly
// failed. When stdin is a socket its other end is the owner: after the owner is gone the server
// ends at once before the assembly, and within kLinger after it.
#pragma once

#include "rendezvous/base/time.h"

namespace muster::rendezvous {

inline constexpr Duration kLinger = std::chrono::seconds(10);

// Returns the exit code: 0 when all left, 1 otherwise.
int run_server();

}  // namespace muster::rendezvous
