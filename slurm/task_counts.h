// Task counts: SLURM_STEP_TASKS_PER_NODE, "8(x3),4", written out as one number per node. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rendezvous/base/result.h"

namespace muster::slurm {

inline constexpr std::uint32_t kMaxTasksPerNode = 65535;  // Slurm counts them in 16 bits

// At least one node, each with 1 to kMaxTasksPerNode tasks, at most kMaxHosts nodes in all. Errors
// name the position, what was expected and what was found, or the limit.
Result<std::vector<std::uint32_t>> expand_task_counts(std::string_view text);

// The same in Slurm's writing: {8, 8, 8, 4} gives "8(x3),4".
std::string compress_task_counts(std::span<const std::uint32_t> counts);

}  // namespace muster::slurm
