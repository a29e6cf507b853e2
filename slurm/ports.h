// Port lists: SLURM_STEP_RESV_PORTS, "20012-20020,20030", written out. Pure.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "rendezvous/base/result.h"

namespace muster::slurm {

inline constexpr std::size_t kMaxPorts = 65535;  // of one list

// In the order written. Empty text gives no ports: Slurm reserved none. Errors name the position,
// what was expected and what was found, or the limit.
Result<std::vector<std::uint16_t>> expand_ports(std::string_view text);

}  // namespace muster::slurm
