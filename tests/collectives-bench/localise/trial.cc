#include "tests/collectives-bench/localise/trial.h"

#include <algorithm>
#include <random>
#include <set>

#include "rendezvous/base/check.h"

namespace muster::bench::localise {

namespace {

double ratio_or_one(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 1 : static_cast<double>(part) / static_cast<double>(whole);
}

void count_nodes(const TrialSpec& spec, const Verdict& verdict,
                 const std::set<std::uint32_t>& faulty, Score& score) {
  score.healthy = spec.nodes - faulty.size();
  score.faults = faulty.size();
  score.named = verdict.unfit.size() + verdict.links.size();
  for (const UnfitNode& one : verdict.unfit) {
    (faulty.count(value_of(one.node)) > 0 ? score.found : score.evicted) += 1;
  }
  for (const OneOf& one : verdict.one_of) {
    for (const NodeIndex node : one.nodes) score.ambiguous += faulty.count(value_of(node));
  }
}

void count_links(const TrialSpec& spec, const Verdict& verdict, const Faults& faults,
                 Score& score) {
  score.healthy = spec.nodes;
  score.evicted = verdict.unfit.size();
  score.faults = faults.slow_links.size();
  score.named = verdict.unfit.size() + verdict.links.size();
  for (const BadLink& link : verdict.links) {
    score.found += faults.slow_links.count(std::minmax(value_of(link.a), value_of(link.b)));
  }
}

void count_rails(const Verdict& verdict, const Faults& faults, Score& score) {
  for (const UnfitNode& one : verdict.unfit) {
    for (const LocalRank rank : one.suspect_gpus) {
      ++score.rails_named;
      score.rails_found += faults.slow_rails.count({value_of(one.node), value_of(rank)});
    }
  }
}

}  // namespace

double Score::precision() const {
  return ratio_or_one(found, named);
}
double Score::recall() const {
  return ratio_or_one(found, faults);
}
double Score::false_evictions() const {
  return healthy == 0 ? 0 : 1 - ratio_or_one(healthy - evicted, healthy);
}

Score& Score::operator+=(const Score& other) {
  trials += other.trials;
  faults += other.faults;
  found += other.found;
  named += other.named;
  healthy += other.healthy;
  evicted += other.evicted;
  rails_named += other.rails_named;
  rails_found += other.rails_found;
  ambiguous += other.ambiguous;
  localised += other.localised;
  stopped += other.stopped;
  rounds += other.rounds;
  most_rounds = std::max(most_rounds, other.most_rounds);
  return *this;
}

Settings trial_settings(const TrialSpec& spec) {
  Settings settings;
  const Threshold recorded{ThresholdSource::kRecorded, kSyntheticBusbw, spec.tolerance};
  settings.world_expected.thresholds = {recorded};
  settings.intra_expected.thresholds = {recorded};
  settings.pairs_expected.thresholds = {recorded};
  return settings;
}

Faults draw_faults(const TrialSpec& spec, std::uint64_t seed) {
  std::mt19937_64 random(seed * 7919 + 1);
  std::uniform_real_distribution<double> depth(spec.least_depth, spec.most_depth);
  std::uniform_int_distribution<std::uint32_t> any(0, spec.nodes - 1);
  Faults faults;
  faults.missing = spec.missing;
  const double left = 1 - depth(random);
  switch (spec.scenario) {
    case Scenario::kHealthy:
      break;
    case Scenario::kSlowNodes:
      while (faults.slow_nodes.size() < spec.faulty) {
        faults.slow_nodes[any(random)] = 1 - depth(random);
      }
      break;
    case Scenario::kLinkOnRing: {
      const std::uint32_t node = any(random);
      faults.slow_links[std::minmax(node, (node + 1) % spec.nodes)] = left;
      break;
    }
    case Scenario::kLinkAnywhere: {
      const std::uint32_t node = any(random);
      const std::uint32_t step =
          std::uniform_int_distribution<std::uint32_t>(1, spec.nodes - 1)(random);
      faults.slow_links[std::minmax(node, (node + step) % spec.nodes)] = left;
      break;
    }
    case Scenario::kRail:
      faults.slow_rails[{any(random), any(random) % spec.local_ranks}] = left;
      break;
    case Scenario::kHungNode:
      faults.hung_nodes.push_back(any(random));
      break;
    case Scenario::kAllSlow:
      faults.all = left;
      break;
  }
  return faults;
}

Verdict localise(SyntheticCluster& cluster, const Settings& settings) {
  Result<Localiser> localiser = Localiser::create(cluster.cluster(), settings);
  MUSTER_CHECK(localiser.has_value());
  Next next = localiser->begin();
  while (const Round* round = std::get_if<Round>(&next)) {
    next = localiser->step(cluster.run(*round));
  }
  return std::get<Verdict>(next);
}

Score run_trial(const TrialSpec& spec, std::uint64_t seed) {
  const Faults faults = draw_faults(spec, seed);
  SyntheticCluster cluster(spec.nodes, spec.local_ranks, spec.noise, faults, seed);
  const Verdict verdict = localise(cluster, trial_settings(spec));
  std::set<std::uint32_t> faulty(faults.hung_nodes.begin(), faults.hung_nodes.end());
  for (const auto& [node, share] : faults.slow_nodes) faulty.insert(node);
  for (const auto& [rail, share] : faults.slow_rails) faulty.insert(rail.first);
  Score score;
  score.trials = 1;
  score.rounds = verdict.rounds;
  score.most_rounds = verdict.rounds;
  score.localised = verdict.rounds > (spec.local_ranks > 1 ? 2u : 1u) ? 1 : 0;
  score.stopped = verdict.decision == Decision::kStop ? 1 : 0;
  if (faults.slow_links.empty()) {
    count_nodes(spec, verdict, faulty, score);
  } else {
    count_links(spec, verdict, faults, score);
  }
  count_rails(verdict, faults, score);
  return score;
}

Score run_trials(const TrialSpec& spec, std::uint64_t first_seed, std::uint32_t count) {
  Score sum;
  for (std::uint32_t i = 0; i < count; ++i) sum += run_trial(spec, first_seed + i);
  return sum;
}

}  // namespace muster::bench::localise
