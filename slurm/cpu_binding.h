// Whether Slurm, and not merely a small machine, is why a task may use few cores. Pure.
#pragma once

#include <cstdint>

#include "rendezvous/base/environment.h"

namespace muster::slurm {

// `cores` is what the task's CPU mask allows, `machine_cores` what is online. True when Slurm bound
// the task (SLURM_CPU_BIND names a mask), or when the step has just as many CPUs as the mask holds
// (cgroups). A mask that somebody else made, a container's for instance, gives false.
bool is_bound_by_slurm(const Environment& environment, std::uint32_t cores,
                       std::uint32_t machine_cores);

}  // namespace muster::slurm
