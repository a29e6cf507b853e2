#include "collectives-bench/localise/intra.h"

#include <algorithm>

#include "collectives-bench/localise/pair_record.h"
#include "rendezvous/base/check.h"

namespace muster::bench::localise {

namespace {

constexpr std::size_t kFewestToCompare = 3;  // nodes that have a median worth the name
constexpr double kPriorOfNode = 0.05;
constexpr double kNoiseUnknown = 0.02;  // where too few nodes tell it
// Taken as told by many: most who stand out here are healthy, and are to be cleared in few rounds.
constexpr std::size_t kToldByMany = 100;

}  // namespace

void IntraRecord::add(const Round& round, const std::vector<GroupOutcome>& outcomes) {
  MUSTER_CHECK(outcomes.size() == round.groups.size());
  ++rounds_;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    by_node_[value_of(round.groups[i].members.front().node)].push_back(checked(outcomes[i]));
  }
  std::vector<std::string> algorithms;
  for (const auto& [node, seen] : by_node_) {
    for (const GroupOutcome& outcome : seen) algorithms.push_back(outcome.measured.algorithm);
  }
  algorithm_ = most_common(algorithms);
  levels_.clear();
  for (std::uint32_t one = 0; one < rounds_; ++one) levels_.push_back(level_of(one));
}

std::vector<std::uint32_t> IntraRecord::nodes() const {
  std::vector<std::uint32_t> nodes;
  for (const auto& [node, seen] : by_node_) nodes.push_back(node);
  return nodes;
}

bool IntraRecord::saw(OutcomeKind kind) const {
  for (const auto& [node, seen] : by_node_) {
    if (std::any_of(seen.begin(), seen.end(),
                    [kind](const GroupOutcome& outcome) { return outcome.kind == kind; })) {
      return true;
    }
  }
  return false;
}

double IntraRecord::busbw_of(std::uint32_t node) const {
  const auto place = by_node_.find(node);
  if (place == by_node_.end()) return 0;
  std::vector<double> values;
  for (const GroupOutcome& outcome : place->second) {
    if (comparable(outcome)) values.push_back(outcome.measured.p50_busbw);
  }
  return median(std::move(values));
}

bool IntraRecord::comparable(const GroupOutcome& outcome) const {
  return outcome.kind == OutcomeKind::kMeasured &&
         (outcome.measured.algorithm.empty() || outcome.measured.algorithm == algorithm_);
}

double IntraRecord::level_of(std::uint32_t round) const {
  std::vector<double> values;
  for (const auto& [node, seen] : by_node_) {
    if (comparable(seen[round])) values.push_back(seen[round].measured.p50_busbw);
  }
  return median(std::move(values));
}

std::optional<double> IntraRecord::level() const {
  std::vector<double> values;
  for (const auto& [node, seen] : by_node_) {
    for (const GroupOutcome& outcome : seen) {
      if (comparable(outcome)) values.push_back(outcome.measured.p50_busbw);
    }
  }
  if (values.empty()) return std::nullopt;
  return median(std::move(values));
}

// Three nodes or more are compared with each other; fewer with what is expected, one at a time: a
// cluster where both of two nodes miss it is slow as a whole.
std::optional<double> IntraRecord::ratio(std::uint32_t node, std::uint32_t round,
                                         const Settings& settings) const {
  const GroupOutcome& outcome = by_node_.at(node)[round];
  if (!comparable(outcome)) return std::nullopt;
  const double busbw = outcome.measured.p50_busbw;
  if (by_node_.size() >= kFewestToCompare) return busbw / levels_[round];
  const Threshold* missed = settings.intra_expected.missed_by(busbw);
  if (missed == nullptr) return 1;
  bool all = true;
  for (const auto& [other, seen] : by_node_) {
    all = all && comparable(seen[round]) &&
          settings.intra_expected.missed_by(seen[round].measured.p50_busbw) != nullptr;
  }
  return all ? 1 : busbw / missed->busbw;
}

std::vector<std::uint32_t> IntraRecord::outstanding(const Settings& settings) const {
  std::vector<std::uint32_t> nodes;
  for (const auto& [node, seen] : by_node_) {
    const bool unmeasured = seen.front().kind != OutcomeKind::kMeasured;
    const std::optional<double> share = ratio(node, 0, settings);
    if (unmeasured || (share && *share < settings.rules.screen)) nodes.push_back(node);
  }
  return nodes;
}

// Nobody else took part: once is enough for wrong data, and a hang needs no second partner. It
// needs a second time, unless there was none: then whoever draws the verdict has nothing better.
// Cleared when there is nothing of the kind.
Opinion IntraRecord::trouble_of(const std::vector<GroupOutcome>& seen) const {
  Opinion opinion;
  std::size_t hung = 0;
  std::size_t wrong = 0;
  std::size_t failed = 0;
  for (const GroupOutcome& outcome : seen) {
    hung += outcome.kind == OutcomeKind::kHung ? 1 : 0;
    wrong += outcome.kind == OutcomeKind::kWrongData ? 1 : 0;
    failed += outcome.kind == OutcomeKind::kFailed ? 1 : 0;
    if (!outcome.text.empty()) opinion.text = outcome.text;
  }
  opinion.standing = failed == seen.size() ? Standing::kUnmeasured : Standing::kCleared;
  if (wrong > 0 || hung >= 2 || hung == seen.size()) {
    opinion.standing = Standing::kUnfit;
    opinion.fault = wrong > 0 ? Fault::kWrongData : Fault::kHung;
    opinion.times = wrong > 0 ? wrong : hung;
    opinion.belief.confidence = confidence_of_repeats(opinion.times);
  }
  return opinion;
}

double IntraRecord::noise(const Settings& settings) const {
  if (by_node_.size() < kFewestToCompare) return kNoiseUnknown;
  std::vector<double> alike;
  for (const auto& [node, seen] : by_node_) {
    if (const auto share = ratio(node, 0, settings)) alike.push_back(*share);
  }
  return robust_noise(distances_to(alike, 1));
}

Opinion IntraRecord::of_node(std::uint32_t node, const Settings& settings) const {
  const std::vector<GroupOutcome>& seen = by_node_.at(node);
  Opinion opinion = trouble_of(seen);
  if (opinion.fault == Fault::kHung && by_node_.size() > 1 && all_hung()) {
    opinion.standing = Standing::kCleared;  // all alike: the software, or what they share
    return opinion;
  }
  if (opinion.standing != Standing::kCleared) return opinion;
  // The first round made it stand out; what counts is whether it does again.
  std::vector<double> ratios;
  std::vector<double> speeds;
  for (std::uint32_t round = 1; round < rounds_; ++round) {
    const std::optional<double> share = ratio(node, round, settings);
    if (!share) continue;
    ratios.push_back(*share);
    speeds.push_back(seen[round].measured.p50_busbw);
  }
  if (ratios.size() < 2) return opinion;
  // Nothing says that any node is slow before this: the prior is that of one node of many.
  const double prior = std::min(kPriorOfNode, prior_among(outstanding(settings).size()));
  const std::size_t others = std::max<std::size_t>(by_node_.size() - 1, rounds_);
  const Spread spread{noise(settings), kToldByMany};
  opinion.belief =
      believe_slow(ratios, ratios.size(), spread, others, {settings.rules.slow, prior});
  opinion.busbw = median(speeds);
  opinion.partners = by_node_.size() - 1;
  const double confidence = opinion.belief.confidence;
  // Of many noisy nodes some are slow several times by chance.
  const Rules& rules = settings.rules;
  if (confidence >= (spread.sigma > rules.usual ? rules.sure : rules.enough)) {
    opinion.standing = Standing::kUnfit;
  } else if (confidence >= 0.5) {
    opinion.standing = Standing::kDoubtful;
  }
  return opinion;
}

std::uint32_t IntraRecord::repeats_wanted(const Settings& settings) const {
  const Rules& rules = settings.rules;
  if (rounds_ < 1 + rules.intra_repeats || noise(settings) <= rules.usual) {
    return rules.intra_repeats;
  }
  for (const std::uint32_t node : outstanding(settings)) {
    const Belief belief = of_node(node, settings).belief;
    const double confidence = belief.confidence;
    if (belief.samples == 0) continue;
    if (confidence > rules.cleared && confidence < rules.sure) {
      return std::max(rules.intra_repeats, rules.noisy_intra_repeats);
    }
  }
  return rules.intra_repeats;
}

bool IntraRecord::all_hung() const {
  return std::all_of(by_node_.begin(), by_node_.end(), [](const auto& node) {
    return std::all_of(node.second.begin(), node.second.end(), [](const GroupOutcome& outcome) {
      return outcome.kind == OutcomeKind::kHung;
    });
  });
}

std::vector<std::uint32_t> IntraRecord::odd_nodes() const {
  std::vector<std::uint32_t> nodes;
  for (const auto& [node, seen] : by_node_) {
    const bool odd = std::any_of(seen.begin(), seen.end(), [&](const GroupOutcome& outcome) {
      return outcome.kind == OutcomeKind::kMeasured && !comparable(outcome);
    });
    if (odd) nodes.push_back(node);
  }
  return nodes;
}

}  // namespace muster::bench::localise
