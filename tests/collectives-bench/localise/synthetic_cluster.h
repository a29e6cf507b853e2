// SyntheticCluster: nodes, links and GPUs with known faults, which answers rounds as a real one
// would.
//
// Seeded: the same seed gives the same outcomes. A group runs at the speed of its slowest part.
#pragma once

#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "collectives-bench/localise/outcome.h"
#include "collectives-bench/localise/round.h"
#include "collectives-bench/localise/settings.h"

namespace muster::bench::localise {

struct Noise {
  double sigma = 0.02;       // Gaussian, of one sample
  double tail_share = 0.01;  // of the samples are slower
  double tail_depth = 0.2;   // by this
  // What a sample is: one of the iterations, of which a measurement takes the median, or the
  // measurement itself (a disturbance that lasts as long as the measurement).
  std::uint32_t samples = 20;
};

struct Faults {
  std::map<std::uint32_t, double> slow_nodes;  // node -> share of the speed that is left
  std::map<std::pair<std::uint32_t, std::uint32_t>, double> slow_links;  // both ends, ascending
  std::map<std::pair<std::uint32_t, std::uint32_t>, double> slow_rails;  // node, local rank
  std::map<std::uint32_t, double> slow_inside;                           // node, its own rounds
  std::vector<std::uint32_t> hung_nodes;  // every group with one of these hangs
  std::set<std::pair<std::uint32_t, std::uint32_t>> hung_links;  // both ends, ascending
  std::vector<std::uint32_t> wrong_nodes;  // every group with one of these gives wrong data
  std::vector<std::uint32_t> mute_nodes;   // every group with one of these cannot be measured
  bool hung_are_silent = false;            // who hangs reports nothing, the others do
  double missing = 0;                      // share of groups that cannot be measured, by chance
  double all = 1;                          // of everybody's speed
};

inline constexpr double kSyntheticBusbw = 45;  // GB/s, of healthy nodes in any group

class SyntheticCluster {
 public:
  SyntheticCluster(std::uint32_t nodes, std::uint32_t local_ranks, Noise noise, Faults faults,
                   std::uint64_t seed);

  Cluster cluster() const;
  std::vector<GroupOutcome> run(const Round& round);

 private:
  GroupOutcome run(const Group& group);
  double healthy_share(const Group& group) const;
  double noisy();

  std::uint32_t nodes_;
  std::uint32_t local_ranks_;
  Noise noise_;
  Faults faults_;
  std::mt19937_64 random_;
};

}  // namespace muster::bench::localise
