// GpuReport: what a node's GPU driver said, as it travels from the child that asked it. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rendezvous/base/result.h"

namespace muster::health {

inline constexpr std::uint32_t kMaxGpus = 64;  // of a node; the facts of an agent hold no more

struct GpuReport {
  std::vector<std::string> uuids;  // that the process may open, in the order of their bus ids
  // What is wrong, without the node's name. With the driver as a whole, "" when it answered; and
  // with single GPUs, one line each: "GPU 3: GPU is lost".
  std::string driver_problem;
  std::vector<std::string> gpu_problems;

  bool operator==(const GpuReport&) const = default;
};

std::string encode(const GpuReport& report);
Result<GpuReport> parse_gpu_report(std::string_view bytes);

// "GPU-" and then only letters, digits and '-': what a driver in order answers.
bool is_gpu_uuid(std::string_view text);

}  // namespace muster::health
