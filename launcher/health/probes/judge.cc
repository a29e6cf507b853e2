#include "launcher/health/probes/judge.h"

#include <algorithm>
#include <array>

#include "launcher/health/probes/probe_list.h"

namespace muster::health {

namespace {

constexpr std::array kProbes = {
    probe_driver,
    probe_gpu_count,
    probe_gpu_model,
    probe_gpu_lost,
    probe_recovery_action,
    probe_gpu_mode,
    probe_ecc_mode,
    probe_ecc,
    probe_row_remap,
    probe_xid,
    probe_nvlink,
    probe_nvlink_errors,
    probe_pcie_width,
    probe_pcie_speed,
    probe_pcie_errors,
    probe_fabric_manager,
    probe_clocks,
    probe_temperature,
    probe_persistence,
    probe_stale_processes,
    probe_gpu_memory,
    probe_efa_count,
    probe_efa_link,
    probe_efa_errors,
    probe_modules,
    probe_plug_in,
    probe_network,
    probe_host,
    probe_memlock,
    probe_nofile,
    probe_shm_size,
    probe_shm_leftovers,
    probe_disk,
    probe_clock_offset,
};

}  // namespace

std::string gpu_name(const GpuFacts& gpu) {
  return "GPU " + std::to_string(gpu.index);
}

const GpuFacts* find_gpu(const HealthFacts& facts, const GpuFacts& gpu) {
  const auto found =
      std::find_if(facts.gpus.begin(), facts.gpus.end(), [&gpu](const GpuFacts& other) {
        return gpu.uuid.empty() ? other.index == gpu.index : other.uuid == gpu.uuid;
      });
  return found != facts.gpus.end() ? &*found : nullptr;
}

Number growth(const Number& before, const Number& after) {
  if (!after.value) return after;
  if (!before.value) return before;
  return *after.value >= *before.value ? *after.value - *before.value : *after.value;
}

Expectations expectations_of(const bench::Profile& profile) {
  return {profile.gpus, profile.nics, profile.host, true};
}

std::vector<ProbeResult> judge_health(const HealthFacts& before, const HealthFacts& after,
                                      const Expectations& expected) {
  const Looks looks{before, after, expected};
  std::vector<ProbeResult> results;
  for (const auto& probe : kProbes) results.push_back(probe(looks));
  return results;
}

}  // namespace muster::health
