// One look at a node's health: the driver and the host, each asked in a child process of its own
// with a deadline, since a wedged driver or file system hangs its caller for good. A shell; blocks
// for at most both deadlines, and is called before the loop starts or in a helper of its own.
#pragma once

#include <string>
#include <vector>

#include "launcher/health/nvml.h"
#include "launcher/health/probes/health_facts.h"
#include "launcher/health/probes/host_facts.h"
#include "rendezvous/base/time.h"

namespace muster::health {

struct LookOptions {
  HostRoots roots;
  std::string library = kNvmlLibrary;
  std::vector<std::string> disks{"/tmp"};
  Duration driver_limit{10'000};
  Duration host_limit{5'000};
  // How long processes of an earlier job may take to leave the GPUs; looked at again meanwhile.
  Duration stale_patience{0};
};

// A child that is late is a finding: "the GPU driver did not answer in 10 s" in driver_problem.
// Without a loaded driver (/proc/driver/nvidia/gpus) NVML is not asked.
HealthFacts look_at_node(const LookOptions& options);

}  // namespace muster::health
