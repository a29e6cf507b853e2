// Sweep: one row for each number of nodes and each exact slowness, over several seeds; finer than
// the table, to find the cells that the bounds of the verdict do not hold in.
#pragma once

#include <cstdint>
#include <vector>

#include "tests/collectives-bench/localise/trial.h"

namespace muster::bench::localise {

struct SweepAsked {
  std::uint32_t trials = 200;  // of each seed; of more than 32 nodes a quarter
  std::vector<std::uint64_t> seeds;
  std::vector<std::uint32_t> nodes;
};

// Prints each cell of `noise` as a line; those below 0.95, or above 1 % evicted, begin with "weak".
void print_sweep(const Noise& noise, const SweepAsked& asked);

}  // namespace muster::bench::localise
