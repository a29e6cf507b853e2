// The ports where a coordinator may be found: a pure function of the incarnation. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "rendezvous/types.h"

namespace muster::rendezvous {

inline constexpr std::uint16_t kFirstPort = 12000;  // below Linux's ephemeral range (32768-60999)
inline constexpr std::uint16_t kLastPort = 19999;
inline constexpr std::size_t kPortCandidates = 16;

// `reserved` (SLURM_STEP_RESV_PORTS) first, then kPortCandidates distinct ports of the range in an
// order that depends on job, step, restart count and scope only.
std::vector<std::uint16_t> candidate_ports(const Incarnation& incarnation,
                                           const std::vector<std::uint16_t>& reserved);

}  // namespace muster::rendezvous
