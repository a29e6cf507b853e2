#include "collectives-bench/busbw.h"

namespace muster::bench {

double algorithm_bandwidth(std::uint64_t bytes, double microseconds) {
  if (!(microseconds > 0.0)) return 0.0;
  return static_cast<double>(bytes) / microseconds / 1e3;
}

double bus_factor(Operation operation, std::uint64_t ranks) {
  const auto n = static_cast<double>(ranks < 1 ? 1 : ranks);
  switch (operation) {
    case Operation::kAllReduce:
      return 2.0 * (n - 1.0) / n;
    case Operation::kAllGather:
    case Operation::kReduceScatter:
    case Operation::kAllToAll:
      return (n - 1.0) / n;
    case Operation::kBroadcast:
    case Operation::kReduce:
    case Operation::kSendRecv:
    case Operation::kPingPong:
      return 1.0;
  }
  return 0.0;
}

double all_reduce_bus_bandwidth(double algorithm_bandwidth, std::uint64_t ranks) {
  return algorithm_bandwidth * bus_factor(Operation::kAllReduce, ranks);
}

}  // namespace muster::bench
