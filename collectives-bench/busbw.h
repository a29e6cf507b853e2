// Bandwidth of a collective from its size and time. Pure. MEASURING.md derives the formulas.
#pragma once

#include <cstdint>

namespace muster::bench {

// Decimal GB/s: bytes of the buffer by time. 0 for a time that is not positive.
double algorithm_bandwidth(std::uint64_t bytes, double microseconds);

// What one rank's link carries: 2(n-1)/n of the algorithm bandwidth. 0 for one rank.
double all_reduce_bus_bandwidth(double algorithm_bandwidth, std::uint64_t ranks);

}  // namespace muster::bench
