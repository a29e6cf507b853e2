// NICs: which devices a rank measures by with --nic, where the provider is one over IP and a device
// is an interface. Pure. Where the provider has devices of its own (efa), their names are matched
// in the same way.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "collectives-bench/fabric/addresses.h"
#include "rendezvous/base/result.h"

namespace muster::bench::fabric {

inline constexpr std::size_t kMaxNics = 64;  // of one rank

// The wish of --nic: "each" and "all" take every device, another word the one of that name.
bool wants_every_nic(const std::string& wish);

// Places of the devices that are meant. kInvalidArgument lists what there is; kLimit: too many.
Result<std::vector<std::size_t>> choose_nics(const std::vector<std::string>& names,
                                             const std::string& wish);

// One address of each interface that may be measured, v4 before v6, in the order of the list:
// containers' left out, and loopback where not all ranks share this node.
std::vector<LocalAddress> addresses_by_interface(const std::vector<LocalAddress>& addresses,
                                                 bool one_node);

// What is measured in turns when `names` are used: "each" alone, else all of them together as one.
// The lists are places in `names`.
struct NicTurn {
  std::string name;  // "eth0"; "all 4" of several
  std::vector<std::size_t> places;

  bool operator==(const NicTurn&) const = default;
};
std::vector<NicTurn> nic_turns(const std::vector<std::string>& names, const std::string& wish);

}  // namespace muster::bench::fabric
