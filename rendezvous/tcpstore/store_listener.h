// The listening socket of a store. A shell; nothing blocks.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rendezvous/base/fd.h"
#include "rendezvous/base/result.h"
#include "rendezvous/base/time.h"

namespace muster::tcpstore {

struct StoreListener {
  Fd socket;
  std::uint16_t port = 0;
};

// Listens on the first of `ports` that is free (0: the kernel chooses), and whose next port is free
// on all addresses too when `leave_next_free`. Accepted sockets inherit its tuning (Linux copies a
// listener's options), so that no system call per connection is spent on it. kUnavailable when no
// port is free.
Result<StoreListener> listen_for_clients(const std::vector<std::uint16_t>& ports,
                                         const std::string& bind_address, bool leave_next_free,
                                         Duration lost_after);

}  // namespace muster::tcpstore
