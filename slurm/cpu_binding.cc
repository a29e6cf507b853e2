#include "slurm/cpu_binding.h"

#include <string_view>

#include "slurm/scanner.h"

namespace muster::slurm {

bool is_bound_by_slurm(const Environment& environment, std::uint32_t cores,
                       std::uint32_t machine_cores) {
  if (cores >= machine_cores) return false;
  // "quiet,mask_cpu:0x3", "verbose,none", or absent without a task plug-in.
  const std::string_view binding = environment.get("SLURM_CPU_BIND").value_or("none");
  if (binding.find("none") == std::string_view::npos) return true;
  Scanner scanner("SLURM_CPUS_ON_NODE", environment.get("SLURM_CPUS_ON_NODE").value_or(""));
  const auto given = scanner.number("a number of CPUs", machine_cores);
  return given.has_value() && *given == cores;
}

}  // namespace muster::slurm
