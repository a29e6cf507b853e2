// Suspects: whom stage one leaves to be confirmed or cleared. Pure.
#pragma once

#include <cstdint>
#include <vector>

#include "collectives-bench/localise/pair_record.h"
#include "collectives-bench/localise/pairing.h"
#include "collectives-bench/localise/settings.h"

namespace muster::bench::localise {

struct Suspects {
  std::vector<std::uint32_t> nodes;  // ascending
  std::vector<Pair> links;           // ascending

  bool empty() const { return nodes.empty() && links.empty(); }
};

// `active` are the nodes that took part.
Suspects find_suspects(const PairRecord& record, const NodeFit& fit,
                       const std::vector<std::uint32_t>& active, const Rules& rules);

// Adds the link that is the slowest by what its ends reach: where something must be wrong, and
// nothing stands out.
void suspect_slowest_link(Suspects& suspects, const PairRecord& record, const NodeFit& fit);

// The fewest nodes that explain all outcomes of `kind`: the one in most of them first, ties all.
std::vector<std::uint32_t> explain(const PairRecord& record, OutcomeKind kind);

}  // namespace muster::bench::localise
