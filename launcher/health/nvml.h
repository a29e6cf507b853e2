// Asks the GPU driver through NVML, NVIDIA's management library, opened at run time.
//
// May hang for ever on a driver or GPU that is stuck: call it in a child process only
// (gpu_probe.h).
#pragma once

#include <string>

#include "launcher/health/gpu_report.h"

namespace muster::health {

inline constexpr const char* kNvmlLibrary = "libnvidia-ml.so.1";

// `library`: a name for the dynamic loader, or a path. What fails stands in the report. A GPU that
// this process may not open (a device cgroup) is no problem and not counted, as CUDA does not count
// it.
GpuReport ask_nvml(const std::string& library);

}  // namespace muster::health
