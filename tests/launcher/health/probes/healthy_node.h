// A healthy p5 node as two looks see it, for tests of the judge to break.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "launcher/health/probes/judge.h"

namespace muster::health {

inline GpuFacts healthy_gpu(std::uint64_t index) {
  GpuFacts gpu;
  gpu.index = index;
  gpu.uuid = "GPU-" + std::to_string(index);
  gpu.bus_id = "0000:5" + std::to_string(index) + ":00";
  gpu.name = "NVIDIA H100 80GB HBM3";
  for (Number GpuFacts::*zero :
       {&GpuFacts::ecc_uncorrected, &GpuFacts::ecc_uncorrected_lifetime, &GpuFacts::ecc_corrected,
        &GpuFacts::rows_remapped, &GpuFacts::remap_pending, &GpuFacts::remap_failed,
        &GpuFacts::recovery_action, &GpuFacts::nvlink_errors, &GpuFacts::pcie_replays,
        &GpuFacts::fabric_status, &GpuFacts::clock_reasons, &GpuFacts::software_thermal_ns,
        &GpuFacts::hardware_thermal_ns, &GpuFacts::power_brake_ns, &GpuFacts::memory_used,
        &GpuFacts::mig_mode, &GpuFacts::compute_mode}) {
    gpu.*zero = 0;
  }
  gpu.ecc_enabled = 1;
  gpu.nvlinks_active = 18;
  gpu.pcie_width = gpu.pcie_max_width = 16;
  gpu.pcie_generation = gpu.pcie_max_generation = 5;
  gpu.fabric_state = 3;
  gpu.fabric_health = 1;
  gpu.sm_clock = gpu.max_sm_clock = 1980;
  gpu.temperature = 40;
  gpu.processes = std::vector<std::uint64_t>{};
  gpu.persistence = 1;
  return gpu;
}

inline NicFacts healthy_nic(int index) {
  return {"rdmap" + std::to_string(79 + index) + "s0",
          "0x1d0f",
          "ACTIVE",
          100,
          {{"rx_drops", 0}, {"retrans_timeout_events", 3}, {"rx_bytes", 1}}};
}

inline HealthFacts healthy_node() {
  HealthFacts facts;
  facts.taken_at_ms = 1000;
  facts.has_driver = true;
  for (std::uint64_t i = 0; i < 8; ++i) facts.gpus.push_back(healthy_gpu(i));
  HostFacts& host = facts.host;
  host.instance_type = "p5.48xlarge";
  host.instance_id = "i-0123";
  host.memlock = kUnlimited;
  host.nofile = 1'048'576;
  host.shm_bytes = 1ULL << 40;
  host.shm_leftovers = std::vector<std::string>{};
  host.gpu_files = 8;
  host.kernel_xids = std::vector<XidEvent>{};
  host.watched_xids = std::vector<XidEvent>{};
  host.disks = {{"/tmp", 100ULL << 30}};
  host.modules = {"efa", "gdrdrv", "ib_uverbs"};
  host.plugins = {"/opt/amazon/ofi-nccl/lib/libnccl-net.so"};
  std::vector<NicFacts> nics;
  for (int i = 0; i < 32; ++i) nics.push_back(healthy_nic(i));
  host.nics = nics;
  facts.nccl = {"2.28.3", "1.16.3", "Libfabric", "efa", 32, 64, 64};
  facts.clock_offset_us = std::int64_t{-1500};
  facts.clock_uncertainty_us = 200;
  facts.versions = {{"driver", "550.90.07"}, {"kernel", "5.15.0-1084-aws"}};
  return facts;
}

inline Expectations p5() {
  return {{"H100", 8, 18, 16, 5}, {true, 32, 100}};
}

// Two looks at one node; a test changes what it needs.
struct TwoLooks {
  HealthFacts before = healthy_node();
  HealthFacts after = healthy_node();
  Expectations expected = p5();

  TwoLooks() { after.taken_at_ms = 9000; }

  ProbeResult answer(const std::string& probe) const {
    for (const ProbeResult& result : judge_health(before, after, expected)) {
      if (result.probe == probe) return result;
    }
    return {probe, Answer::kSkip, "", "there is no such probe", {}};
  }
  // "FAIL GPU 3: 1 uncorrected ..."; the reason alone tells what is wrong.
  std::string line(const std::string& probe) const {
    const ProbeResult result = answer(probe);
    return std::string(to_string(result.answer)) + " " + result.reason;
  }
};

}  // namespace muster::health
