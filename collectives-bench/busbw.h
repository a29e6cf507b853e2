// Bandwidth of a collective from its size and time. Pure. MEASURING.md derives the formulas.
#pragma once

#include <cstdint>

#include "collectives-bench/operation.h"

namespace muster::bench {

// Decimal GB/s: bytes of the buffer by time. 0 for a time that is not positive.
double algorithm_bandwidth(std::uint64_t bytes, double microseconds);

// What one rank's link carries, as a multiple of the algorithm bandwidth: 2(n-1)/n for all_reduce,
// (n-1)/n where every rank has a part, 1 for the rest.
double bus_factor(Operation operation, std::uint64_t ranks);

// Of an all_reduce; 0 for one rank.
double all_reduce_bus_bandwidth(double algorithm_bandwidth, std::uint64_t ranks);

}  // namespace muster::bench
