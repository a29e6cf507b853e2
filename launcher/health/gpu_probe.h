// The GPU probe: which GPUs a node's driver gives this process. A shell; blocks, at most until its
// deadline, so it is called before the loop starts.
//
// The driver is asked in a child process, since a wedged driver hangs its caller for good. A node
// without a loaded driver pays one look into /proc. With one, the price is NVML's start and one
// look at each GPU: without NVIDIA's persistence daemon that wakes every idle GPU, seconds on
// eight.
#pragma once

#include <string>

#include "launcher/health/gpu_report.h"
#include "launcher/health/nvml.h"
#include "rendezvous/base/environment.h"
#include "rendezvous/base/time.h"

namespace muster::health {

struct GpuProbeOptions {
  std::string proc_root = "/proc";
  std::string library = kNvmlLibrary;
  Duration limit{10'000};
};

// $MUSTER_NVML_LIBRARY names another library; for tests and unusual sites.
GpuProbeOptions gpu_probe_options(const Environment& environment);

GpuReport probe_gpus(const GpuProbeOptions& options);

}  // namespace muster::health
