// The words of the verdict: one line for each finding, with its numbers. Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "collectives-bench/localise/findings.h"

namespace muster::bench::localise {

// "node017: 21.3 GB/s with 6 good partners that reach 44.9 GB/s among themselves (47 %)"
std::string slow_node_text(const Findings& findings, std::uint32_t node, const Opinion& opinion);

// "node017: hung 5 times, with 4 different partners: text"
std::string troubled_node_text(const Findings& findings, std::uint32_t node,
                               const Opinion& opinion);

std::string intra_text(const Findings& findings, std::uint32_t node, const Opinion& opinion);

std::string link_text(const Findings& findings, const Pair& link, const Opinion& opinion);

// "all_reduce on 8 nodes: 21.0 GB/s, recorded 45.0 GB/s less 4 %"
std::string world_text(const Findings& findings);

// When the iterations over all nodes differ much; else "".
std::string unsteady_text(const Findings& findings);

// "all_reduce inside the node: 478.2 GB/s, recorded 480.0 GB/s less 4 %"
std::string intra_level_text(const Findings& findings);

// Where another algorithm ran than the one recorded, or than on most nodes; one line each.
std::vector<std::string> algorithm_texts(const Findings& findings);

// "node003, node007 and 3 more"
std::string hosts_text(const Findings& findings, const std::vector<NodeIndex>& nodes);

std::string percent_text(double share);  // "47 %", "99.9 %"

std::string gpus_text(const std::vector<LocalRank>& gpus);  // "local rank 3"

}  // namespace muster::bench::localise
