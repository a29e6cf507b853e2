#include "tests/collectives-bench/localise/synthetic_cluster.h"

#include <algorithm>

#include "collectives-bench/localise/estimate.h"

namespace muster::bench::localise {

namespace {

template <class Key>
double share_of(const std::map<Key, double>& shares, const Key& key) {
  const auto place = shares.find(key);
  return place == shares.end() ? 1 : place->second;
}

bool any_member(const Group& group, const std::vector<std::uint32_t>& nodes) {
  return std::any_of(group.members.begin(), group.members.end(), [&](const Member& member) {
    return std::find(nodes.begin(), nodes.end(), value_of(member.node)) != nodes.end();
  });
}

using Link = std::pair<std::uint32_t, std::uint32_t>;  // ascending

// Of the group's ring; a node by itself has none.
std::vector<Link> links_of(const Group& group) {
  std::vector<Link> links;
  const std::size_t count = group.members.size();
  for (std::size_t i = 0; count > 1 && i < count; ++i) {
    const std::uint32_t next = value_of(group.members[(i + 1) % count].node);
    links.push_back(std::minmax(value_of(group.members[i].node), next));
  }
  return links;
}

bool any_link(const Group& group, const std::set<Link>& bad) {
  const std::vector<Link> links = links_of(group);
  return std::any_of(links.begin(), links.end(),
                     [&](const Link& link) { return bad.count(link) > 0; });
}

}  // namespace

SyntheticCluster::SyntheticCluster(std::uint32_t nodes, std::uint32_t local_ranks, Noise noise,
                                   Faults faults, std::uint64_t seed)
    : nodes_(nodes),
      local_ranks_(local_ranks),
      noise_(noise),
      faults_(std::move(faults)),
      random_(seed) {}

Cluster SyntheticCluster::cluster() const {
  Cluster cluster;
  cluster.local_ranks = local_ranks_;
  for (std::uint32_t node = 0; node < nodes_; ++node) {
    std::string number = std::to_string(node);
    cluster.hosts.push_back("node" + std::string(3 - std::min<std::size_t>(number.size(), 3), '0') +
                            number);
  }
  return cluster;
}

std::vector<GroupOutcome> SyntheticCluster::run(const Round& round) {
  std::vector<GroupOutcome> outcomes;
  for (const Group& group : round.groups) outcomes.push_back(run(group));
  return outcomes;
}

GroupOutcome SyntheticCluster::run(const Group& group) {
  GroupOutcome outcome;
  const double chance = std::uniform_real_distribution<double>(0, 1)(random_);
  if (any_member(group, faults_.mute_nodes) || chance < faults_.missing) {
    outcome.text = "the process ended with exit code 3";
    return outcome;
  }
  if (any_member(group, faults_.hung_nodes) || any_link(group, faults_.hung_links)) {
    outcome.kind = OutcomeKind::kHung;
    outcome.text = "no report by the deadline";
    if (faults_.hung_are_silent) {
      for (const std::uint32_t node : faults_.hung_nodes) outcome.silent.push_back(NodeIndex{node});
    }
    return outcome;
  }
  if (any_member(group, faults_.wrong_nodes)) {
    outcome.kind = OutcomeKind::kWrongData;
    outcome.text = "1 wrong element";
    return outcome;
  }
  outcome.kind = OutcomeKind::kMeasured;
  outcome.measured.p50_busbw = kSyntheticBusbw * faults_.all * healthy_share(group) * noisy();
  outcome.measured.p99_busbw = outcome.measured.p50_busbw * (1 - noise_.tail_depth);
  outcome.measured.cv = noise_.sigma;
  return outcome;
}

double SyntheticCluster::healthy_share(const Group& group) const {
  double share = 1;
  const std::size_t count = group.members.size();
  for (std::size_t i = 0; i < count; ++i) {
    const std::uint32_t node = value_of(group.members[i].node);
    if (count == 1) {
      share = std::min(share, share_of(faults_.slow_inside, node));
      continue;
    }
    share = std::min(share, share_of(faults_.slow_nodes, node));
    for (const LocalRank rank : group.members[i].local_ranks) {
      share = std::min(share, share_of(faults_.slow_rails, {node, value_of(rank)}));
    }
  }
  for (const Link& link : links_of(group)) {
    share = std::min(share, share_of(faults_.slow_links, link));
  }
  return share;
}

double SyntheticCluster::noisy() {
  std::normal_distribution<double> core(1, noise_.sigma);
  std::bernoulli_distribution tail(noise_.tail_share);
  std::vector<double> samples;
  for (std::uint32_t i = 0; i < noise_.samples; ++i) {
    const double sample = core(random_) * (tail(random_) ? 1 - noise_.tail_depth : 1);
    samples.push_back(std::max(sample, 0.01));
  }
  return median(std::move(samples));
}

}  // namespace muster::bench::localise
