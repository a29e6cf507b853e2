// Host addresses: from the names of a host to the numeric addresses worth a connect.
#pragma once

#include <string>
#include <vector>

#include "rendezvous/sidecar_messages.h"

namespace muster::rendezvous {

// Asks the system's name service; blocks for as long as that takes, so only the sidecar calls it.
LookedUpHosts look_up_hosts(const LookUpHosts& call);

struct UsableAddresses {
  std::vector<std::string> addresses;  // in the name service's order, none twice
  std::vector<std::string> remarks;    // why a host or an address was passed over
};

// Pure. When the host looked for is this very machine all its addresses are usable;
// otherwise loopback and our own interfaces' addresses (docker0) would lead to ourselves.
UsableAddresses usable_addresses(const LookedUpHosts& found, bool host_is_here);

}  // namespace muster::rendezvous
