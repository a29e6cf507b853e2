// Localiser: which rounds to run, one after the other, until the verdict. Pure.
//
// No clock, no processes: the owner runs the round that it is given, within the round's deadline,
// and calls step() with what came back. README.md has the states as a table. Values copy.
#pragma once

#include <string_view>
#include <variant>
#include <vector>

#include "collectives-bench/localise/findings.h"
#include "rendezvous/base/result.h"

namespace muster::bench::localise {

using Next = std::variant<Round, Verdict>;

class Localiser {
 public:
  enum class State { kBegin, kIntra, kWorld, kPairs, kConfirm, kRails, kRepeat, kDone };

  // kInvalidArgument: no nodes, too many, no local ranks, or a node seen bad that does not exist.
  static Result<Localiser> create(Cluster cluster, Settings settings);

  // Once, first.
  Next begin();

  // After each round: one outcome for each of its groups, in their order. Those that are missing
  // count as "no outcome came back", which is neither slow nor fine.
  Next step(std::vector<GroupOutcome> outcomes);

  // What the rounds so far say, for an owner whose time is over.
  Verdict conclude() const;

  State state() const { return state_; }
  // An upper bound for any number of nodes.
  static std::uint32_t most_rounds(const Rules& rules);

 private:
  Localiser(Cluster cluster, Settings settings);

  Next after_intra();
  Next after_world();
  Next after_pairs();
  Next after_confirm();
  Next after_rails();
  Next after_repeat();

  Next order(State state, RoundKind kind, const Work& work, std::vector<Group> groups,
             const Expectation& expected, std::optional<double> level = std::nullopt);
  Next order_intra();
  Next order_world(State state, RoundKind kind);
  Next order_pairs();
  Next order_confirm(const std::vector<Pair>& pairs);
  Next order_rails(const std::vector<Pair>& pairs);
  Next finish();

  Next nobody_found();
  Next look_again();
  bool another_look_may_tell() const;
  std::optional<double> level_of_pairs() const;
  std::uint32_t pair_rounds_wanted() const;
  std::vector<Pair> rail_pairs() const;
  Member whole(std::uint32_t node) const;

  Findings found_;
  State state_ = State::kBegin;
  Round round_;  // the one under way
  std::uint32_t pair_rounds_ = 0;
  std::uint32_t confirm_rounds_ = 0;
  std::uint32_t looks_ = 1;
};

std::string_view to_string(Localiser::State state);  // "begin"; static

}  // namespace muster::bench::localise
