#include "collectives-bench/localise/rails.h"

#include <algorithm>
#include <map>

#include "collectives-bench/localise/estimate.h"
#include "collectives-bench/localise/pair_record.h"
#include "rendezvous/base/check.h"

namespace muster::bench::localise {

std::vector<Group> rail_groups(const std::vector<Pair>& pairs, std::uint32_t local_ranks) {
  std::vector<Group> groups;
  for (const auto& [a, b] : pairs) {
    for (std::uint32_t rank = 0; rank < local_ranks; ++rank) {
      groups.push_back({{{NodeIndex{a}, {LocalRank{rank}}}, {NodeIndex{b}, {LocalRank{rank}}}}});
    }
  }
  return groups;
}

void RailRecord::add(const Round& round, const std::vector<GroupOutcome>& outcomes) {
  MUSTER_CHECK(outcomes.size() == round.groups.size());
  ++rounds_;
  for (std::size_t i = 0; i < outcomes.size(); ++i) {
    const GroupOutcome outcome = checked(outcomes[i]);
    if (outcome.kind != OutcomeKind::kMeasured) continue;
    const std::vector<Member>& members = round.groups[i].members;
    seen_.push_back({value_of(members[0].node), value_of(members[1].node),
                     value_of(members[0].local_ranks.front()), outcome.measured.p50_busbw});
  }
}

std::vector<LocalRank> RailRecord::suspects(std::uint32_t node, double factor,
                                            const std::vector<bool>& good) const {
  std::map<std::uint32_t, std::vector<double>> by_rail;
  std::vector<double> controls;
  for (const Seen& seen : seen_) {
    if (seen.a == node || seen.b == node) {
      by_rail[seen.local_rank].push_back(seen.busbw);
    } else if (good[seen.a] && good[seen.b]) {
      controls.push_back(seen.busbw);
    }
  }
  std::vector<LocalRank> found;
  if (by_rail.size() < 2) return found;
  std::map<std::uint32_t, double> level;
  std::vector<double> levels;
  for (const auto& [rail, values] : by_rail) levels.push_back(level[rail] = median(values));
  const double lowest = *std::min_element(levels.begin(), levels.end());
  std::vector<double> others = levels;
  others.erase(std::find(others.begin(), others.end(), lowest));
  const double others_level = median(others);
  const double reference = controls.empty() ? others_level : median(controls);
  // One slow rail leaves the others as fast as good nodes' rails; a slow node slows all of them.
  if (others_level < (1 + factor) / 2 * reference) return found;
  if (lowest > (1 + factor) / 2 * reference) return found;
  for (const auto& [rail, value] : level) {
    if (value == lowest || value < (1 + 2 * factor) / 3 * reference) {
      found.push_back(LocalRank{rail});
    }
  }
  return found;
}

}  // namespace muster::bench::localise
