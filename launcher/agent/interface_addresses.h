// The addresses of this node's interfaces. A shell: asks the kernel, not the name service.
#pragma once

#include <string>
#include <vector>

namespace muster::launcher {

// Numeric and without zone, of interfaces that are up, loopback left out; none twice; at most 64.
// Empty when the kernel does not tell.
std::vector<std::string> interface_addresses();

}  // namespace muster::launcher
