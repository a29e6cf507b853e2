#include "collectives-bench/localise/pair_record.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "rendezvous/base/check.h"

namespace muster::bench::localise {

bool Observation::blames(std::uint32_t node) const {
  return std::find(blamed.begin(), blamed.end(), node) != blamed.end();
}

GroupOutcome checked(GroupOutcome outcome) {
  const double busbw = outcome.measured.p50_busbw;
  if (outcome.kind != OutcomeKind::kMeasured || (busbw > 0 && std::isfinite(busbw))) return outcome;
  GroupOutcome failed;
  failed.text = "reported a bandwidth that is no positive number";
  return failed;
}

std::vector<std::uint32_t> blamed_members(const Group& group, const GroupOutcome& outcome) {
  std::vector<std::uint32_t> all;
  std::vector<std::uint32_t> silent;
  if (outcome.kind == OutcomeKind::kMeasured) return all;
  for (const Member& member : group.members) {
    all.push_back(value_of(member.node));
    if (std::find(outcome.silent.begin(), outcome.silent.end(), member.node) !=
        outcome.silent.end()) {
      silent.push_back(value_of(member.node));
    }
  }
  const bool told = outcome.kind == OutcomeKind::kHung && !silent.empty();
  return told ? silent : all;
}

std::string most_common(const std::vector<std::string>& algorithms) {
  std::map<std::string, std::size_t> counts;
  for (const std::string& algorithm : algorithms) {
    if (!algorithm.empty()) ++counts[algorithm];
  }
  const auto most =
      std::max_element(counts.begin(), counts.end(),
                       [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == counts.end() ? "" : most->first;
}

void PairRecord::add(const Round& round, const std::vector<GroupOutcome>& outcomes) {
  MUSTER_CHECK(outcomes.size() == round.groups.size());
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const Group& group = round.groups[i];
    MUSTER_CHECK(group.members.size() == 2);
    const GroupOutcome outcome = checked(outcomes[i]);
    Observation observation;
    observation.a = value_of(group.members[0].node);
    observation.b = value_of(group.members[1].node);
    observation.kind = outcome.kind;
    observation.busbw = outcome.measured.p50_busbw;
    observation.algorithm = outcome.measured.algorithm;
    observation.text = outcome.text;
    observation.blamed = blamed_members(group, outcome);
    observation.confirm = round.kind == RoundKind::kConfirm;
    by_node_[observation.a].push_back(observations_.size());
    by_node_[observation.b].push_back(observations_.size());
    observations_.push_back(std::move(observation));
  }
  std::vector<std::string> algorithms;
  for (const Observation& observation : observations_) algorithms.push_back(observation.algorithm);
  algorithm_ = most_common(algorithms);
}

void PairRecord::begin_again() {
  for (Observation& observation : observations_) observation.confirm = false;
  look_begins_ = observations_.size();
}

std::vector<const Observation*> PairRecord::of(std::uint32_t node) const {
  std::vector<const Observation*> observations;
  const auto place = by_node_.find(node);
  if (place == by_node_.end()) return observations;
  for (const std::size_t index : place->second) observations.push_back(&observations_[index]);
  return observations;
}

bool PairRecord::is_odd(const Observation& observation) const {
  return observation.kind == OutcomeKind::kMeasured && !observation.algorithm.empty() &&
         observation.algorithm != algorithm_;
}

bool PairRecord::comparable(const Observation& observation) const {
  return observation.kind == OutcomeKind::kMeasured && !is_odd(observation);
}

std::vector<std::uint32_t> PairRecord::odd_nodes() const {
  std::vector<std::uint32_t> nodes;
  for (const auto& [node, indices] : by_node_) {
    std::size_t odd = 0;
    std::size_t measured = 0;
    for (const std::size_t index : indices) {
      odd += is_odd(observations_[index]) ? 1 : 0;
      measured += observations_[index].kind == OutcomeKind::kMeasured ? 1 : 0;
    }
    if (2 * odd > measured) nodes.push_back(node);
  }
  return nodes;
}

std::vector<PairSample> PairRecord::samples() const {
  std::vector<PairSample> samples;
  for (const Observation& observation : observations_) {
    if (comparable(observation)) {
      samples.push_back({observation.a, observation.b, observation.busbw});
    }
  }
  return samples;
}

std::optional<double> PairRecord::level() const {
  std::vector<double> values;
  for (const PairSample& sample : samples()) values.push_back(sample.busbw);
  if (values.empty()) return std::nullopt;
  return median(std::move(values));
}

std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<double>> PairRecord::by_pair() const {
  std::map<std::pair<std::uint32_t, std::uint32_t>, std::vector<double>> pairs;
  for (const Observation& seen : observations_) {
    if (!seen.confirm && comparable(seen)) pairs[std::minmax(seen.a, seen.b)].push_back(seen.busbw);
  }
  return pairs;
}

std::size_t PairRecord::troubles(std::uint32_t node) const {
  const auto place = by_node_.find(node);
  if (place == by_node_.end()) return 0;
  return static_cast<std::size_t>(
      std::count_if(place->second.begin(), place->second.end(), [&](std::size_t index) {
        return index >= look_begins_ && observations_[index].blames(node);
      }));
}

}  // namespace muster::bench::localise
