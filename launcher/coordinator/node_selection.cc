#include "launcher/coordinator/node_selection.h"

#include <algorithm>
#include <functional>
#include <map>
#include <utility>

#include "rendezvous/base/check.h"

namespace muster::launcher {

namespace {

using bench::localise::BadLink;
using bench::localise::Decision;
using bench::localise::Fault;
using bench::localise::GroupOutcome;
using bench::localise::Localiser;
using bench::localise::OutcomeKind;
using bench::localise::Round;
using bench::localise::Verdict;

// Of the ends of bad links those that explain most of them; of two alike the later one.
std::set<std::uint32_t> cover(const std::vector<BadLink>& links) {
  std::vector<std::pair<std::uint32_t, std::uint32_t>> open;
  for (const BadLink& link : links) open.emplace_back(value_of(link.a), value_of(link.b));
  std::set<std::uint32_t> chosen;
  while (!open.empty()) {
    std::map<std::uint32_t, std::size_t> counts;
    for (const auto& [a, b] : open) {
      ++counts[a];
      ++counts[b];
    }
    const auto most =
        std::max_element(counts.begin(), counts.end(), [](const auto& x, const auto& y) {
          return std::pair(x.second, x.first) < std::pair(y.second, y.first);
        });
    const std::uint32_t node = most->first;
    chosen.insert(node);
    std::erase_if(open,
                  [node](const auto& link) { return link.first == node || link.second == node; });
  }
  return chosen;
}

}  // namespace

NodeSelection::NodeSelection(SelectionOptions options)
    : options_(std::move(options)), candidates_(options_.candidates) {
  MUSTER_CHECK(options_.wanted >= 1 && options_.wanted <= candidates_.size());
}

NodeSelection::Next NodeSelection::begin() {
  return search();
}

NodeSelection::Next NodeSelection::search() {
  ++searches_;
  searched_ = candidates_;
  const auto count = static_cast<std::uint32_t>(candidates_.size());
  localiser_.reset();
  if (candidates_.size() == 1 && options_.local_ranks == 1) return measure_single();
  bench::localise::Cluster cluster;
  for (const std::uint32_t place : candidates_) cluster.hosts.push_back(options_.hosts[place]);
  cluster.local_ranks = options_.local_ranks;
  for (std::uint32_t i = 0; i < candidates_.size(); ++i) {
    const auto& bad = options_.seen_bad;
    if (std::find(bad.begin(), bad.end(), candidates_[i]) != bad.end()) {
      cluster.seen_bad_before.push_back(NodeIndex{i});
    }
  }
  Result<Localiser> localiser = Localiser::create(std::move(cluster), options_.settings(count));
  MUSTER_CHECK(localiser.has_value());
  localiser_ = std::move(*localiser);
  return consider(localiser_->begin());
}

// One process alone has no bus bandwidth, but it can fail, hang and compute wrongly.
NodeSelection::Next NodeSelection::measure_single() {
  const bench::localise::Settings settings = options_.settings(1);
  Round round;
  round.work = settings.world;
  round.groups = {{{{NodeIndex{0}, {LocalRank{0}}}}}};
  round.deadline = bench::localise::round_deadline(bench::localise::RoundKind::kWorld, round.work,
                                                   1, {}, settings.deadline);
  return round;
}

NodeSelection::Next NodeSelection::step(std::vector<GroupOutcome> outcomes) {
  if (!gone_.empty()) {
    for (const std::uint32_t place : std::exchange(gone_, {})) std::erase(candidates_, place);
    if (candidates_.size() >= options_.wanted && searches_ < kMostSearches) return search();
    return conclude();
  }
  if (localiser_) return consider(localiser_->step(std::move(outcomes)));
  const GroupOutcome& only = outcomes.front();
  Verdict verdict;
  verdict.decision = only.kind == OutcomeKind::kMeasured ? Decision::kGo
                     : only.kind == OutcomeKind::kFailed ? Decision::kNotMeasured
                                                         : Decision::kStop;
  verdict.line = only.text;
  // A minimum is one of bus bandwidth, which one process alone has not.
  const auto asked = options_.settings(1).intra_expected.thresholds;
  const bool has_minimum = std::any_of(asked.begin(), asked.end(), [](const auto& threshold) {
    return threshold.source == bench::localise::ThresholdSource::kMinimum;
  });
  if (verdict.decision == Decision::kGo && has_minimum) {
    verdict.decision = Decision::kNotMeasured;
    verdict.line =
        "verdict: could not measure: one process has no bus bandwidth to hold to a minimum";
  }
  if (verdict.decision == Decision::kStop) {
    const Fault fault = only.kind == OutcomeKind::kHung ? Fault::kHung : Fault::kWrongData;
    verdict.unfit.push_back({NodeIndex{0}, fault, 0, 1, {}, only.text});
  }
  return choose(verdict);
}

NodeSelection::Next NodeSelection::consider(bench::localise::Next next) {
  if (auto* round = std::get_if<Round>(&next)) return std::move(*round);
  const Verdict& verdict = std::get<Verdict>(next);
  const std::set<std::uint32_t> bad = culprits(verdict);
  if (bad.empty() || searches_ >= kMostSearches) return choose(verdict);
  leave_out(verdict, bad);
  return search();
}

// Places of nodes that had better stay out, as many kinds as the others can stand in for: the unfit
// and unmeasured; those of which one is at fault; an end of each bad link. Empty when even the
// first are too many.
std::set<std::uint32_t> NodeSelection::culprits(const Verdict& verdict) const {
  std::set<std::uint32_t> bad;
  const auto take = [&](const std::set<std::uint32_t>& more) {
    std::set<std::uint32_t> all = bad;
    all.insert(more.begin(), more.end());
    const bool enough = candidates_.size() - all.size() >= options_.wanted;
    if (enough) bad = std::move(all);
    return enough;
  };
  std::set<std::uint32_t> nodes;
  for (const auto& node : verdict.unfit) nodes.insert(place_of(node.node));
  for (const NodeIndex node : verdict.unmeasured) nodes.insert(place_of(node));
  if (!take(nodes)) return {};
  std::set<std::uint32_t> suspects;
  for (const auto& group : verdict.one_of) {
    for (const NodeIndex node : group.nodes) suspects.insert(place_of(node));
  }
  take(suspects);
  std::vector<BadLink> links;
  for (const BadLink& link : verdict.links) {
    if (!bad.contains(place_of(link.a)) && !bad.contains(place_of(link.b))) links.push_back(link);
  }
  std::set<std::uint32_t> ends;
  for (const std::uint32_t node : cover(links)) ends.insert(place_of(NodeIndex{node}));
  take(ends);
  return bad;
}

void NodeSelection::append_unfit(const Verdict& verdict, std::vector<Unfit>& unfit) const {
  for (const auto& node : verdict.unfit) {
    unfit.push_back({place_of(node.node), node.fault, node.ratio, node.confidence,
                     node.suspect_gpus, node.evidence});
  }
}

void NodeSelection::leave_out(const Verdict& verdict, const std::set<std::uint32_t>& bad) {
  append_unfit(verdict, unfit_);
  for (const std::uint32_t place : bad) {
    std::erase(candidates_, place);
    const bool told = std::any_of(unfit_.begin(), unfit_.end(),
                                  [place](const Unfit& one) { return one.place == place; });
    if (told) continue;
    Unfit one;
    one.place = place;
    one.evidence = verdict.line;
    unfit_.push_back(std::move(one));
  }
}

void NodeSelection::lose(std::uint32_t place, const std::string& why) {
  const auto among = [place](const std::vector<std::uint32_t>& list) {
    return std::find(list.begin(), list.end(), place) != list.end();
  };
  if (among(gone_) || !among(candidates_)) return;  // a culprit takes part no more
  gone_.push_back(place);
  Unfit one;
  one.place = place;
  one.fault = Fault::kHung;
  one.confidence = 1;
  one.evidence = options_.hosts[place] + ": " + why;
  unfit_.push_back(std::move(one));
}

bool NodeSelection::can_lose(std::uint32_t place) const {
  const auto is_gone = [this](std::uint32_t other) {
    return std::find(gone_.begin(), gone_.end(), other) != gone_.end();
  };
  if (is_gone(place)) return true;
  const auto left = static_cast<std::size_t>(
      std::count_if(candidates_.begin(), candidates_.end(),
                    [&](std::uint32_t other) { return other != place && !is_gone(other); }));
  return left >= options_.wanted;
}

Choice NodeSelection::conclude() const {
  if (localiser_) return choose(localiser_->conclude());
  Verdict verdict;
  verdict.line = "verdict: could not measure: the time of the check is over";
  return choose(verdict);
}

Choice NodeSelection::choose(const Verdict& verdict) const {
  Choice choice;
  choice.decision = verdict.decision;
  choice.line = verdict.line;
  choice.evidence = verdict.evidence;
  choice.unfit = unfit_;
  append_unfit(verdict, choice.unfit);
  choice.links = verdict.links;
  for (BadLink& link : choice.links) {
    link.a = NodeIndex{place_of(link.a)};
    link.b = NodeIndex{place_of(link.b)};
  }
  choice.one_of = verdict.one_of;
  for (auto& group : choice.one_of) {
    for (NodeIndex& node : group.nodes) node = NodeIndex{place_of(node)};
  }
  choice.doubtful = places(verdict.doubtful);
  choice.unmeasured = places(verdict.unmeasured);
  choice.odd = places(verdict.odd);
  const bool goes = verdict.decision == Decision::kGo || verdict.decision == Decision::kWarn ||
                    verdict.decision == Decision::kNotMeasured;
  std::vector<std::uint32_t> order = candidates_;
  std::erase_if(order, [this](std::uint32_t place) {
    return std::find(gone_.begin(), gone_.end(), place) != gone_.end();
  });
  if (!goes || order.size() < options_.wanted) {
    choice.decision = goes ? Decision::kStop : choice.decision;
    return choice;
  }
  // The doubtful and the odd run only where the others do not suffice, the unfit last of all.
  const auto is_sound = [&](std::uint32_t place) {
    const auto among = [place](const std::vector<std::uint32_t>& list) {
      return std::find(list.begin(), list.end(), place) != list.end();
    };
    return !among(choice.doubtful) && !among(choice.odd);
  };
  const auto is_unfit = [&choice](std::uint32_t place) {
    return std::any_of(choice.unfit.begin(), choice.unfit.end(),
                       [place](const Unfit& one) { return one.place == place; });
  };
  const auto fit = std::stable_partition(order.begin(), order.end(), std::not_fn(is_unfit));
  std::stable_partition(order.begin(), fit, is_sound);
  const auto wanted = order.begin() + static_cast<std::ptrdiff_t>(options_.wanted);
  choice.chosen.assign(order.begin(), wanted);
  choice.spares.assign(std::min(wanted, fit), std::max(wanted, fit));
  if (fit < wanted) choice.spares.clear();  // the unfit stand in for nobody
  std::sort(choice.chosen.begin(), choice.chosen.end());
  std::sort(choice.spares.begin(), choice.spares.end());
  return choice;
}

std::vector<std::uint32_t> NodeSelection::places(const std::vector<NodeIndex>& nodes) const {
  std::vector<std::uint32_t> all;
  for (const NodeIndex node : nodes) all.push_back(place_of(node));
  return all;
}

}  // namespace muster::launcher
