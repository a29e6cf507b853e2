// The addresses of this node's interfaces. A shell: asks the kernel, not the name service.
#pragma once

#include <string>
#include <vector>

#include "rendezvous/base/result.h"

namespace muster::launcher {

// Numeric and without zone, of interfaces that are up, loopback left out; none twice; at most 64.
// Empty when the kernel does not tell.
std::vector<std::string> interface_addresses();

// Whether other nodes can reach this one by the interface of --interface: kInvalidArgument when all
// its addresses are loopback's. Of one that is not here, or has none, the check itself tells.
Status check_interface(const std::string& name);

}  // namespace muster::launcher
