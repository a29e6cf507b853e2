#include "collectives-bench/busbw.h"

namespace muster::bench {

double algorithm_bandwidth(std::uint64_t bytes, double microseconds) {
  if (!(microseconds > 0.0)) return 0.0;
  return static_cast<double>(bytes) / microseconds / 1e3;
}

double all_reduce_bus_bandwidth(double algorithm_bandwidth, std::uint64_t ranks) {
  if (ranks < 2) return 0.0;
  const auto n = static_cast<double>(ranks);
  return algorithm_bandwidth * 2.0 * (n - 1.0) / n;
}

}  // namespace muster::bench
