// PairRecord: all that was seen of pairs of nodes, in both stages. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "collectives-bench/localise/estimate.h"
#include "collectives-bench/localise/outcome.h"
#include "collectives-bench/localise/round.h"

namespace muster::bench::localise {

struct Observation {
  std::uint32_t a = 0;
  std::uint32_t b = 0;
  OutcomeKind kind = OutcomeKind::kFailed;
  double busbw = 0;  // of kMeasured, positive
  std::string algorithm;
  std::string text;
  std::vector<std::uint32_t> blamed;  // a, b or both; empty when measured
  bool confirm = false;               // of the confirm stage

  bool of(std::uint32_t node) const { return node == a || node == b; }
  bool between(std::uint32_t one, std::uint32_t other) const { return of(one) && of(other); }
  std::uint32_t partner_of(std::uint32_t node) const { return node == a ? b : a; }
  bool blames(std::uint32_t node) const;
};

// A measurement that is not a positive number was none: it becomes kFailed.
GroupOutcome checked(GroupOutcome outcome);

// Who is to answer for an outcome: of a hang the silent members, unless all or none were silent.
std::vector<std::uint32_t> blamed_members(const Group& group, const GroupOutcome& outcome);

// The algorithm of most measurements; "" when none told.
std::string most_common(const std::vector<std::string>& algorithms);

class PairRecord {
 public:
  // `outcomes` in the order of the round's groups, which are pairs.
  void add(const Round& round, const std::vector<GroupOutcome>& outcomes);
  // What was seen to confirm becomes part of stage one: another look begins.
  void begin_again();

  const std::vector<Observation>& observations() const { return observations_; }
  // Those with `node`, in order. Valid until the next add().
  std::vector<const Observation*> of(std::uint32_t node) const;
  // Of most measurements.
  const std::string& algorithm() const { return algorithm_; }
  // Measured, and by the algorithm of most (or one that did not tell).
  bool comparable(const Observation& observation) const;
  bool is_odd(const Observation& observation) const;
  // Nodes that ran another algorithm in most of their pairs, ascending.
  std::vector<std::uint32_t> odd_nodes() const;
  std::vector<PairSample> samples() const;
  // Their median, GB/s; empty when nothing was measured.
  std::optional<double> level() const;
  // Those of each pair before the confirm stage, GB/s; first < second.
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<double>> by_pair() const;
  // Outcomes other than measured that blame it, of this look.
  std::size_t troubles(std::uint32_t node) const;

 private:
  std::vector<Observation> observations_;
  std::map<std::uint32_t, std::vector<std::size_t>> by_node_;
  std::string algorithm_;
  std::size_t look_begins_ = 0;
};

}  // namespace muster::bench::localise
