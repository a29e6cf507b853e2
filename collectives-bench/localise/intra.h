// IntraRecord: rounds in which every node measures itself, and what they say of each. Pure.
//
// A node needs no partner here, so two nodes are enough to tell them apart.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "collectives-bench/localise/confirm.h"
#include "collectives-bench/localise/settings.h"

namespace muster::bench::localise {

class IntraRecord {
 public:
  void add(const Round& round, const std::vector<GroupOutcome>& outcomes);

  std::uint32_t rounds() const { return rounds_; }
  const std::string& algorithm() const { return algorithm_; }  // of most measurements
  bool empty() const { return rounds_ == 0; }
  std::vector<std::uint32_t> nodes() const;
  bool saw(OutcomeKind kind) const;
  bool all_hung() const;  // every node, every time
  // Median of one node, GB/s; 0 when it was not measured.
  double busbw_of(std::uint32_t node) const;

  // Nodes that the first round leaves in doubt: their own or no outcome differs from the others'.
  std::vector<std::uint32_t> outstanding(const Settings& settings) const;
  Opinion of_node(std::uint32_t node, const Settings& settings) const;
  // After the usual ones more where there is noise, as long as one of those is undecided.
  std::uint32_t repeats_wanted(const Settings& settings) const;
  // Median of all nodes in all rounds, GB/s; empty when nothing was measured.
  std::optional<double> level() const;
  std::vector<std::uint32_t> odd_nodes() const;  // measured by another algorithm than most

 private:
  Opinion trouble_of(const std::vector<GroupOutcome>& seen) const;
  double noise(const Settings& settings) const;
  bool comparable(const GroupOutcome& outcome) const;
  double level_of(std::uint32_t round) const;
  std::optional<double> ratio(std::uint32_t node, std::uint32_t round,
                              const Settings& settings) const;

  std::map<std::uint32_t, std::vector<GroupOutcome>> by_node_;  // one outcome a round
  std::vector<double> levels_;  // of each round, GB/s, median of its nodes
  std::string algorithm_;
  std::uint32_t rounds_ = 0;
};

}  // namespace muster::bench::localise
