// Rails: which local rank of a slow node is the slow one. Pure.
//
// A rail is one local rank of a node, its GPU with the NICs near it, measured with the same local
// rank of another node while the other rails are measured beside it.
#pragma once

#include <cstdint>
#include <vector>

#include "collectives-bench/localise/outcome.h"
#include "collectives-bench/localise/pairing.h"
#include "collectives-bench/localise/round.h"

namespace muster::bench::localise {

// One group for every local rank of every pair.
std::vector<Group> rail_groups(const std::vector<Pair>& pairs, std::uint32_t local_ranks);

class RailRecord {
 public:
  void add(const Round& round, const std::vector<GroupOutcome>& outcomes);
  std::uint32_t rounds() const { return rounds_; }

  // The suspect local ranks of `node`, ascending; empty when all its rails are alike or too little
  // was measured. `factor` is the node's share of what good nodes reach. Pairs of two `good` nodes
  // are the measure of a good rail; without any, the node's own rails are.
  std::vector<LocalRank> suspects(std::uint32_t node, double factor,
                                  const std::vector<bool>& good) const;

 private:
  struct Seen {
    std::uint32_t a;
    std::uint32_t b;
    std::uint32_t local_rank;
    double busbw;
  };

  std::vector<Seen> seen_;
  std::uint32_t rounds_ = 0;
};

}  // namespace muster::bench::localise
