// The other way round: host names folded into a hostlist, "node[1-4,7],login". Pure.
//
// For commands, so nothing is cut and `scontrol show hostnames` gives exactly the names back; lines
// for people are folded by rendezvous/text.h, which keeps the order and cuts long lists.
#pragma once

#include <string>
#include <vector>

namespace muster::slurm {

// Sorted by prefix and number, each name once; "" for no names. Names are as expand_hostlist gives
// them: not empty, without commas, brackets and blanks.
std::string compress_hostlist(const std::vector<std::string>& hosts);

}  // namespace muster::slurm
