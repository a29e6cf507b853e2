#include "collectives-bench/localise/suspects.h"

#include <algorithm>
#include <map>
#include <set>

namespace muster::bench::localise {

namespace {

constexpr std::size_t kFewestSamples = 2;  // below, a node's factor is one number without a witness

std::size_t measured_count(const PairRecord& record, std::uint32_t node) {
  std::size_t count = 0;
  for (const Observation* seen : record.of(node)) {
    count += seen->kind == OutcomeKind::kMeasured ? 1 : 0;
  }
  return count;
}

// Of what its ends reach, and of what good ones do.
double share_of_ends(const Pair& link, const std::vector<double>& values, const NodeFit& fit) {
  const double ends = std::min({1.0, fit.factors[link.first], fit.factors[link.second]});
  return median(values) / (ends * fit.reference);
}

// A hang or wrong data makes a link suspect only where its two ends explain it equally well.
bool link_is_troubled(const Observation& seen, const std::set<std::uint32_t>& troubled) {
  if (seen.kind != OutcomeKind::kHung && seen.kind != OutcomeKind::kWrongData) return false;
  return seen.blamed.size() == 2 && troubled.count(seen.a) > 0 && troubled.count(seen.b) > 0;
}

}  // namespace

std::vector<std::uint32_t> explain(const PairRecord& record, OutcomeKind kind) {
  std::vector<const Observation*> open;
  for (const Observation& seen : record.observations()) {
    if (seen.kind == kind) open.push_back(&seen);
  }
  std::set<std::uint32_t> chosen;
  while (!open.empty()) {
    std::map<std::uint32_t, std::size_t> counts;
    for (const Observation* seen : open) {
      for (const std::uint32_t node : seen->blamed) ++counts[node];
    }
    std::size_t most = 0;
    for (const auto& [node, count] : counts) most = std::max(most, count);
    for (const auto& [node, count] : counts) {
      if (count == most) chosen.insert(node);
    }
    std::erase_if(open, [&](const Observation* seen) {
      return std::any_of(seen->blamed.begin(), seen->blamed.end(),
                         [&](std::uint32_t node) { return chosen.count(node) > 0; });
    });
  }
  return {chosen.begin(), chosen.end()};
}

Suspects find_suspects(const PairRecord& record, const NodeFit& fit,
                       const std::vector<std::uint32_t>& active, const Rules& rules) {
  std::set<std::uint32_t> nodes;
  std::set<std::uint32_t> troubled;
  for (const std::uint32_t node : active) {
    if (measured_count(record, node) < kFewestSamples) nodes.insert(node);
    if (fit.measured(node) && !fit.good[node]) nodes.insert(node);
  }
  for (const OutcomeKind kind :
       {OutcomeKind::kHung, OutcomeKind::kWrongData, OutcomeKind::kFailed}) {
    for (const std::uint32_t node : explain(record, kind)) {
      // One failed group of many says nothing about a node that was measured in the others.
      if (kind == OutcomeKind::kFailed && measured_count(record, node) >= kFewestSamples) continue;
      nodes.insert(node);
      if (kind != OutcomeKind::kFailed) troubled.insert(node);
    }
  }
  std::set<Pair> links;
  for (const Observation& seen : record.observations()) {
    if (link_is_troubled(seen, troubled)) links.insert(std::minmax(seen.a, seen.b));
  }
  for (const auto& [link, values] : record.by_pair()) {
    if (share_of_ends(link, values, fit) < rules.link_screen) links.insert(link);
  }
  return {{nodes.begin(), nodes.end()}, {links.begin(), links.end()}};
}

void suspect_slowest_link(Suspects& suspects, const PairRecord& record, const NodeFit& fit) {
  const auto by_pair = record.by_pair();
  const auto slowest =
      std::min_element(by_pair.begin(), by_pair.end(), [&](const auto& x, const auto& y) {
        return share_of_ends(x.first, x.second, fit) < share_of_ends(y.first, y.second, fit);
      });
  if (slowest == by_pair.end()) return;
  const auto place = std::lower_bound(suspects.links.begin(), suspects.links.end(), slowest->first);
  if (place == suspects.links.end() || *place != slowest->first) {
    suspects.links.insert(place, slowest->first);
  }
}

}  // namespace muster::bench::localise
