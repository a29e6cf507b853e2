// Reads what the probes judge of a node besides its GPUs, from files alone. A sick file system may
// hang it: call it in a child process (gather.h does).
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/health/probes/health_facts.h"

namespace muster::health {

// Of tests: other folders than the node's own.
struct HostRoots {
  std::string sysfs = "/sys";
  std::string proc = "/proc";
  std::string dev = "/dev";
  std::string system = "";  // before "/opt/amazon/..."
};

inline constexpr std::array<std::string_view, 3> kWantedModules = {"efa", "gdrdrv", "ib_uverbs"};

// Fills in host and the versions of kernel and EFA software. `disks`: folders whose free space
// counts.
void read_host_facts(const HostRoots& roots, const std::vector<std::string>& disks,
                     HealthFacts& facts);

}  // namespace muster::health
