// Addresses: which of a node's own addresses the fabric binds to. The choice is pure.
#pragma once

#include <string>
#include <vector>

#include "rendezvous/base/result.h"

namespace muster::bench::fabric {

struct LocalAddress {
  std::string interface;
  std::string address;  // numeric
  bool loopback = false;
  bool is_v6 = false;

  bool operator==(const LocalAddress&) const = default;
};

struct AddressWish {
  std::string interface;  // the user's; "" for none
  std::string preferred;  // by which other nodes reached this one; "" when not known
  bool one_node = false;  // all ranks share this node's network
};

// The addresses of all interfaces that are up; link-local ones left out.
Result<std::vector<LocalAddress>> list_addresses();

// Bridges and virtual pairs of containers: their addresses lead to the node itself.
bool is_container_interface(const std::string& name);

// In order: the interface asked for, which must have more than loopback when there are several
// nodes; loopback when all ranks share the node; the preferred address;
// the first address that is neither loopback nor a container's, v4 before v6. Errors name what
// there is.
Result<LocalAddress> choose_address(const std::vector<LocalAddress>& addresses,
                                    const AddressWish& wish);

// Names the network stack of this process: ranks that give the same text can meet over loopback.
std::string network_identity();

}  // namespace muster::bench::fabric
