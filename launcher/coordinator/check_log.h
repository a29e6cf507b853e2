// CheckLog: what the rounds of a check brought, kept for the report and for a baseline. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "collectives-bench/localise/outcome.h"
#include "collectives-bench/localise/round.h"
#include "collectives-bench/profile/baseline.h"
#include "launcher/coordinator/check_round.h"
#include "rendezvous/base/time.h"

namespace muster::launcher {

struct LoggedRound {
  std::uint32_t number = 0;  // in the whole check, from 0
  bench::localise::RoundKind kind{};
  std::size_t groups = 0;
  Duration took{};
};

struct LoggedPair {
  std::string a;
  std::string b;
  std::uint32_t round = 0;
  bench::localise::RoundKind kind{};
  bench::localise::OutcomeKind outcome{};
  double busbw = 0;  // GB/s at the median iteration, when measured
};

class CheckLog {
 public:
  // `hosts` by the round's own count of nodes.
  void add(const CheckRound& round, const std::vector<bench::localise::GroupOutcome>& outcomes,
           const std::vector<std::string>& hosts, TimePoint now);

  const std::vector<LoggedRound>& rounds() const { return rounds_; }
  const std::vector<LoggedPair>& pairs() const { return pairs_; }
  // Of the last round over all nodes, in the order of ranks; empty before one.
  const std::vector<bench::RankOutcome>& world() const { return world_; }
  std::size_t world_nodes() const { return world_nodes_; }

  // What healthy nodes reach, GB/s: over all nodes, inside nodes and in pairs (the medians of those
  // that were measured, without the hosts in `unfit`), every size.
  std::vector<bench::MeasuredBusbw> busbw(std::span<const std::string> unfit) const;

 private:
  struct Sample {
    std::vector<std::string> hosts;
    std::uint32_t ranks_per_node = 0;
    std::uint64_t bytes = 0;
    double busbw = 0;
  };

  void add_samples(const std::vector<bench::RankOutcome>& ranks,
                   const std::vector<std::string>& hosts);

  std::vector<LoggedRound> rounds_;
  std::vector<LoggedPair> pairs_;
  std::vector<Sample> samples_;
  std::vector<bench::RankOutcome> world_;
  std::size_t world_nodes_ = 0;
};

}  // namespace muster::launcher
