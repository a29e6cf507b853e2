// Trial: one seeded cluster with faults drawn at random, localised, and the verdict counted.
#pragma once

#include <cstdint>
#include <string>

#include "collectives-bench/localise/localiser.h"
#include "tests/collectives-bench/localise/synthetic_cluster.h"

namespace muster::bench::localise {

enum class Scenario {
  kHealthy,
  kSlowNodes,
  kLinkOnRing,  // between two nodes that follow each other
  kLinkAnywhere,
  kRail,  // one local rank of one node
  kHungNode,
  kAllSlow,
};

struct TrialSpec {
  Scenario scenario = Scenario::kSlowNodes;
  std::uint32_t nodes = 8;
  std::uint32_t local_ranks = 1;
  std::uint32_t faulty = 1;  // slow nodes
  double least_depth = 0.1;  // of the slowness, drawn evenly from here
  double most_depth = 0.1;   // to here
  Noise noise;
  double missing = 0;       // share of groups that cannot be measured, by chance
  double tolerance = 0.04;  // of the recorded baseline
};

// What was true, and what the verdict said of it, summed over trials.
struct Score {
  std::uint64_t trials = 0;
  std::uint64_t faults = 0;       // nodes, links or rails that were there
  std::uint64_t found = 0;        // of them named
  std::uint64_t named = 0;        // all that were named
  std::uint64_t healthy = 0;      // nodes without a fault
  std::uint64_t evicted = 0;      // of them called unfit
  std::uint64_t rails_named = 0;  // GPUs named
  std::uint64_t rails_found = 0;  // the slow ones among them
  std::uint64_t ambiguous = 0;    // faults that are in a "one of these"
  std::uint64_t localised = 0;    // trials that went beyond the world round
  std::uint64_t stopped = 0;      // trials whose decision was "stop"
  std::uint64_t rounds = 0;
  std::uint64_t most_rounds = 0;

  double precision() const;        // 1 when nothing was named
  double recall() const;           // 1 when there was nothing to find
  double false_evictions() const;  // share of healthy nodes
  Score& operator+=(const Score& other);
};

Settings trial_settings(const TrialSpec& spec);
Faults draw_faults(const TrialSpec& spec, std::uint64_t seed);

// Runs rounds until the verdict.
Verdict localise(SyntheticCluster& cluster, const Settings& settings);

Score run_trial(const TrialSpec& spec, std::uint64_t seed);
Score run_trials(const TrialSpec& spec, std::uint64_t first_seed, std::uint32_t count);

}  // namespace muster::bench::localise
