#include <fmt/format.h>

#include <algorithm>

#include "launcher/health/probes/probe_list.h"

namespace muster::health {

namespace {

constexpr std::uint64_t kIdle = 0x1;      // a bit of nvmlClocksEventReasons
constexpr std::uint64_t kNotStarted = 1;  // states of nvmlGpuFabricInfo
constexpr std::uint64_t kInProgress = 2;
constexpr std::uint64_t kCompleted = 3;
constexpr std::uint64_t kUnhealthy = 2;  // its health summary
constexpr std::uint64_t kLimited = 3;

ProbeResult probe_growth(const Looks& looks, const char* probe, Number GpuFacts::*member,
                         const char* words) {
  Findings findings(probe);
  if (!looks.are_two()) {
    findings.skip(kNeedsTwoLooks);
    return findings.result("");
  }
  std::uint64_t sum = 0;
  for_each_gpu(looks.after, findings, [&](const GpuFacts& gpu) {
    const GpuFacts* const before = find_gpu(looks.before, gpu);
    if (before == nullptr) return findings.skip("it was not there before the check");
    const Number grown = growth(before->*member, gpu.*member);
    if (!grown.value) return findings.skip(grown.absent);
    findings.pass();
    sum += *grown.value;
    if (*grown.value > 0) {
      findings.warn(gpu_name(gpu),
                    fmt::format("{} {} during the check; expected 0", *grown.value, words));
    }
  });
  ProbeResult result = findings.result("");
  if (result.answer != Answer::kSkip) result.value = fmt::format("+{}", sum);
  return result;
}

bool is_idle(const GpuFacts& gpu) {
  return (gpu.clock_reasons.value.value_or(0) & kIdle) != 0;
}

void judge_fabric(const GpuFacts& gpu, Findings& findings) {
  const std::uint64_t state = *gpu.fabric_state.value;
  const std::uint64_t status = gpu.fabric_status.value.value_or(0);
  const std::uint64_t health = gpu.fabric_health.value.value_or(0);
  if (state == kNotStarted) {
    findings.fail(gpu_name(gpu), "is not registered with the fabric manager: is it running?");
  } else if (state == kInProgress) {
    findings.fail(gpu_name(gpu), "is still being registered with the fabric manager");
  } else if (state != kCompleted) {
    findings.skip("this machine has no NVLink fabric");
  } else if (status != 0) {
    findings.fail(gpu_name(gpu),
                  fmt::format("the fabric manager refused it: NVML error {}", status));
  } else if (health == kUnhealthy) {
    findings.fail(gpu_name(gpu), "the driver calls its NVLink fabric unhealthy");
  } else if (health == kLimited) {
    findings.warn(gpu_name(gpu), "its NVLink fabric works with limited capacity");
  } else {
    findings.pass();
  }
}

}  // namespace

ProbeResult probe_nvlink(const Looks& looks) {
  Findings findings("nvlink");
  const auto expected = looks.expected.gpus.nvlinks;
  std::uint64_t fewest = UINT64_MAX;
  for_each_gpu(looks.after, findings, [&](const GpuFacts& gpu) {
    if (!gpu.nvlinks_active.value) return findings.skip(gpu.nvlinks_active.absent);
    const std::uint64_t active = *gpu.nvlinks_active.value;
    fewest = std::min(fewest, active);
    findings.pass();
    if (!gpu.nvlinks_down.empty()) {
      findings.fail(gpu_name(gpu),
                    fmt::format("NVLink {} is down", fmt::join(gpu.nvlinks_down, ",")));
    } else if (expected && active != *expected) {
      findings.fail(gpu_name(gpu), fmt::format("{} NVLinks are active; the profile expects {}",
                                               active, *expected));
    }
  });
  return findings.result(fewest == UINT64_MAX ? "" : fmt::format("{} a GPU", fewest));
}

ProbeResult probe_nvlink_errors(const Looks& looks) {
  return probe_growth(looks, "nvlink_errors", &GpuFacts::nvlink_errors, "NVLink errors");
}

ProbeResult probe_pcie_width(const Looks& looks) {
  Findings findings("pcie_width");
  std::uint64_t narrowest = UINT64_MAX;
  for_each_gpu(looks.after, findings, [&](const GpuFacts& gpu) {
    if (!gpu.pcie_width.value) return findings.skip(gpu.pcie_width.absent);
    const std::uint64_t width = *gpu.pcie_width.value;
    const std::uint64_t wanted = looks.expected.gpus.pcie_width.value_or(
        static_cast<std::uint32_t>(gpu.pcie_max_width.value.value_or(0)));
    narrowest = std::min(narrowest, width);
    findings.pass();
    if (width < wanted) {
      findings.fail(gpu_name(gpu),
                    fmt::format("its PCIe link is x{}; expected x{}", width, wanted));
    }
  });
  return findings.result(narrowest == UINT64_MAX ? "" : fmt::format("x{}", narrowest));
}

// Links slow down while nothing uses them, so the better of the two looks counts, and a GPU that
// was idle in both is not judged.
ProbeResult probe_pcie_speed(const Looks& looks) {
  Findings findings("pcie_speed");
  std::uint64_t slowest = UINT64_MAX;
  for_each_gpu(looks.after, findings, [&](const GpuFacts& gpu) {
    if (!gpu.pcie_generation.value) return findings.skip(gpu.pcie_generation.absent);
    const GpuFacts* const before = find_gpu(looks.before, gpu);
    std::uint64_t generation = *gpu.pcie_generation.value;
    bool was_idle = is_idle(gpu);
    if (before != nullptr) {
      generation = std::max(generation, before->pcie_generation.value.value_or(0));
      was_idle = was_idle && is_idle(*before);
    }
    const std::uint64_t wanted = looks.expected.gpus.pcie_generation.value_or(
        static_cast<std::uint32_t>(gpu.pcie_max_generation.value.value_or(0)));
    slowest = std::min(slowest, generation);
    if (generation < wanted && was_idle) {
      return findings.skip("the GPUs are idle, and PCIe links slow down then");
    }
    findings.pass();
    if (generation < wanted) {
      findings.warn(gpu_name(gpu), fmt::format("its PCIe link runs at generation {}; expected {}",
                                               generation, wanted));
    }
  });
  return findings.result(slowest == UINT64_MAX ? "" : fmt::format("generation {}", slowest));
}

ProbeResult probe_pcie_errors(const Looks& looks) {
  return probe_growth(looks, "pcie_errors", &GpuFacts::pcie_replays, "PCIe replays");
}

ProbeResult probe_fabric_manager(const Looks& looks) {
  Findings findings("fabric_manager");
  for_each_gpu(looks.after, findings, [&](const GpuFacts& gpu) {
    if (!gpu.fabric_state.value) return findings.skip(gpu.fabric_state.absent);
    judge_fabric(gpu, findings);
  });
  return findings.result("");
}

}  // namespace muster::health
