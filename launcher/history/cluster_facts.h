// What kind of cluster this is, as far as the commands about its nodes depend on it.
#pragma once

#include <cstdint>
#include <string>

#include "slurm/node_actions.h"

namespace muster::history {

// `job`: 0 without Slurm. `hyperpod_folder`: its presence makes the cluster a HyperPod; local disk.
slurm::ClusterFacts find_cluster_facts(
    std::uint64_t job, const std::string& hyperpod_folder = std::string(slurm::kHyperpodFolder));

}  // namespace muster::history
