// The probes, one function each. Of use to judge.cc and the judge_*.cc files only. Pure.
#pragma once

#include "launcher/health/probes/findings.h"
#include "launcher/health/probes/judge.h"

namespace muster::health {

struct Looks {
  const HealthFacts& before;
  const HealthFacts& after;
  const Expectations& expected;

  bool are_two() const { return before.taken_at_ms != after.taken_at_ms; }
};

inline constexpr const char* kNeedsTwoLooks = "needs a look before and one after the check";

std::string gpu_name(const GpuFacts& gpu);  // "GPU 3"

// judge_gpu.cc
ProbeResult probe_driver(const Looks& looks);
ProbeResult probe_gpu_count(const Looks& looks);
ProbeResult probe_gpu_model(const Looks& looks);
ProbeResult probe_gpu_lost(const Looks& looks);
ProbeResult probe_recovery_action(const Looks& looks);
ProbeResult probe_gpu_mode(const Looks& looks);
ProbeResult probe_persistence(const Looks& looks);
ProbeResult probe_temperature(const Looks& looks);
ProbeResult probe_clocks(const Looks& looks);
ProbeResult probe_stale_processes(const Looks& looks);
ProbeResult probe_gpu_memory(const Looks& looks);

// judge_memory.cc
ProbeResult probe_ecc_mode(const Looks& looks);
ProbeResult probe_ecc(const Looks& looks);
ProbeResult probe_row_remap(const Looks& looks);
ProbeResult probe_xid(const Looks& looks);

// judge_links.cc
ProbeResult probe_nvlink(const Looks& looks);
ProbeResult probe_nvlink_errors(const Looks& looks);
ProbeResult probe_pcie_width(const Looks& looks);
ProbeResult probe_pcie_speed(const Looks& looks);
ProbeResult probe_pcie_errors(const Looks& looks);
ProbeResult probe_fabric_manager(const Looks& looks);

// judge_network.cc
ProbeResult probe_efa_count(const Looks& looks);
ProbeResult probe_efa_link(const Looks& looks);
ProbeResult probe_efa_errors(const Looks& looks);
ProbeResult probe_modules(const Looks& looks);
ProbeResult probe_plug_in(const Looks& looks);
ProbeResult probe_network(const Looks& looks);

// judge_host.cc
ProbeResult probe_host(const Looks& looks);
ProbeResult probe_memlock(const Looks& looks);
ProbeResult probe_nofile(const Looks& looks);
ProbeResult probe_shm_size(const Looks& looks);
ProbeResult probe_shm_leftovers(const Looks& looks);
ProbeResult probe_disk(const Looks& looks);
ProbeResult probe_clock_offset(const Looks& looks);

// The GPUs of a look that can be judged, one by one; skips where the driver did not answer, and
// lost GPUs, of which probe_gpu_lost tells.
template <class Judge>
void for_each_gpu(const HealthFacts& facts, Findings& findings, const Judge& judge) {
  if (!facts.driver_problem.empty()) return findings.skip(facts.driver_problem);
  if (facts.gpus.empty()) findings.skip("there is no GPU");
  for (const GpuFacts& gpu : facts.gpus) {
    if (gpu.problem.empty()) {
      judge(gpu);
    } else {
      findings.skip(gpu.problem);
    }
  }
}

// The same GPU in another look; nullptr when it is not there.
const GpuFacts* find_gpu(const HealthFacts& facts, const GpuFacts& gpu);

// How much a counter grew between the looks; a counter that was reset meanwhile counts from 0.
Number growth(const Number& before, const Number& after);

}  // namespace muster::health
