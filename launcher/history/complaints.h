// From a verdict to what Slurm is told of its nodes: one complaint a node. Pure.
//
// Whoever prints the commands and whoever runs them make them from this, so that they are the same.
#pragma once

#include <vector>

#include "launcher/history/verdict_record.h"
#include "slurm/node_actions.h"

namespace muster::history {

// "slow, 0.41 of the others"; without a ratio the fault and its evidence. Several faults of a node
// are joined by "; ". In the order in which the nodes come first.
std::vector<slurm::NodeComplaint> complaints_of(const std::vector<UnfitRecord>& unfit);

}  // namespace muster::history
