// Ranks that the members bring along, where a rank is not the place in the roster. Pure.
//
// The roster goes by node and local task. Under srun a task already has a number that everything
// in it takes for its rank, SLURM_PROCID, and only the task itself knows it: with a cyclic or
// arbitrary distribution it does not follow from the layout. So each member writes it before its
// facts, and since the roster is the same for all, so is the order.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rendezvous/base/result.h"
#include "rendezvous/types.h"

namespace muster::rendezvous {

inline constexpr std::size_t kClaimSize = 4;  // bytes before the facts, the most significant first

std::string facts_with_claim(std::uint32_t rank, std::string_view facts);

// For each rank the member that has it. Without claims the order of the roster.
std::vector<std::uint32_t> order_of_roster(const Roster& roster);
// kInvalidArgument names the members that claim one rank, or a rank beyond the group.
Result<std::vector<std::uint32_t>> order_by_claims(const Roster& roster);

}  // namespace muster::rendezvous
