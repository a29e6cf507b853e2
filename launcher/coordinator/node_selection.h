// NodeSelection: which nodes the job runs on, by rounds of measurements. Pure.
//
//   state      event                       next
//   measuring  the localiser orders more   a round
//   measuring  a verdict without culprits  the choice
//   measuring  culprits, enough others     the others are measured anew: a verdict of a slow node
//                                          does not say that the rest is fit
//   measuring  culprits, too few others    the choice: stop (warn: go on with them)
//   measuring  a node is gone              the others are measured anew, or stop
//   measuring  the time is over            the choice by what is known
//
// Nodes are places in the list of hosts. Without spares every node is needed, so culprits stop the
// job or are warned of; with spares they stay out.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "collectives-bench/localise/localiser.h"
#include "collectives-bench/localise/settings.h"
#include "collectives-bench/localise/verdict.h"

namespace muster::launcher {

struct Unfit {
  std::uint32_t place = 0;
  bench::localise::Fault fault = bench::localise::Fault::kSlow;
  double ratio = 0;  // of what good nodes reach; 0 unless slow
  double confidence = 0;
  std::vector<LocalRank> gpus;
  std::string evidence;  // one line

  bool operator==(const Unfit&) const = default;
};

struct Choice {
  bench::localise::Decision decision = bench::localise::Decision::kNotMeasured;
  std::string line;                             // the last verdict, one line
  std::vector<std::string> evidence;            // the last verdict's
  std::vector<std::uint32_t> chosen;            // ascending, as many as wanted; empty on stop
  std::vector<std::uint32_t> spares;            // fit and not needed, ascending
  std::vector<Unfit> unfit;                     // they stay out where others suffice
  std::vector<bench::localise::BadLink> links;  // of places
  std::vector<bench::localise::OneOf> one_of;
  std::vector<std::uint32_t> doubtful;
  std::vector<std::uint32_t> unmeasured;
  std::vector<std::uint32_t> odd;
};

struct SelectionOptions {
  std::vector<std::string> hosts;         // all nodes, in the order of places
  std::vector<std::uint32_t> candidates;  // ascending; the others are known to be unfit
  std::vector<std::uint32_t> seen_bad;    // before, by the node memory
  std::uint32_t wanted = 1;               // nodes that the job needs, at most the candidates
  std::uint32_t local_ranks = 1;
  bench::localise::Settings settings;
};

// Searches, at most; every one leaves at least one node out.
inline constexpr std::uint32_t kMostSearches = 8;

class NodeSelection {
 public:
  using Next = std::variant<bench::localise::Round, Choice>;

  explicit NodeSelection(SelectionOptions options);

  Next begin();
  // The outcomes of the round under way, in the order of its groups.
  Next step(std::vector<bench::localise::GroupOutcome> outcomes);
  // The node is gone. Told before step(), which then begins anew without it.
  void lose(std::uint32_t place, const std::string& why);
  // What is known now, for an owner whose time is over.
  Choice conclude() const;

  // The place of a node of the round under way.
  std::uint32_t place_of(NodeIndex node) const { return searched_[value_of(node)]; }
  // Places by that count.
  const std::vector<std::uint32_t>& searched() const { return searched_; }
  const std::vector<std::uint32_t>& candidates() const { return candidates_; }
  std::uint32_t local_ranks() const { return options_.local_ranks; }
  // A job that needs all its nodes cannot lose one.
  bool can_lose(std::uint32_t place) const;

 private:
  Next search();
  Next consider(bench::localise::Next next);
  Next measure_single();
  std::set<std::uint32_t> culprits(const bench::localise::Verdict& verdict) const;
  Choice choose(const bench::localise::Verdict& verdict) const;
  std::vector<std::uint32_t> places(const std::vector<NodeIndex>& nodes) const;
  void leave_out(const bench::localise::Verdict& verdict, const std::set<std::uint32_t>& culprits);
  void append_unfit(const bench::localise::Verdict& verdict, std::vector<Unfit>& unfit) const;

  SelectionOptions options_;
  std::vector<std::uint32_t> candidates_;
  std::vector<std::uint32_t> searched_;  // the candidates that the localiser knows
  std::vector<std::uint32_t> gone_;      // candidates, told by lose()
  std::vector<Unfit> unfit_;
  std::optional<bench::localise::Localiser> localiser_;  // empty for one process alone
  std::uint32_t searches_ = 0;
};

}  // namespace muster::launcher
