#include "launcher/coordinator/check_log.h"

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>

namespace muster::launcher {

namespace {

using bench::localise::GroupOutcome;
using bench::localise::OutcomeKind;
using bench::localise::RoundKind;

constexpr const char* kOperation = "all_reduce";

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const std::size_t middle = values.size() / 2;
  if (values.size() % 2 == 1) return values[middle];
  return (values[middle - 1] + values[middle]) / 2;
}

bool is_over_all(RoundKind kind) {
  return kind == RoundKind::kWorld || kind == RoundKind::kRepeat;
}

}  // namespace

void CheckLog::add(const CheckRound& round, const std::vector<GroupOutcome>& outcomes,
                   const std::vector<std::string>& hosts, TimePoint now) {
  const bench::localise::Round& asked = round.round();
  const auto number = static_cast<std::uint32_t>(rounds_.size());
  rounds_.push_back({number, asked.kind, asked.groups.size(), round.took(now)});
  for (std::size_t i = 0; i < asked.groups.size(); ++i) {
    std::vector<std::string> names;
    for (const auto& member : asked.groups[i].members) {
      names.push_back(hosts[value_of(member.node)]);
    }
    const bool alone = asked.kind == RoundKind::kIntra && hosts.size() == 1;
    if (is_over_all(asked.kind) || alone) {
      world_ = round.ranks(i);
      world_nodes_ = names.size();
    } else if (names.size() == 2) {
      const GroupOutcome& outcome = outcomes[i];
      pairs_.push_back(
          {names[0], names[1], number, asked.kind, outcome.kind, outcome.measured.p50_busbw});
    }
    const bool counts = outcomes[i].kind == OutcomeKind::kMeasured;
    if (counts && asked.kind != RoundKind::kRails) add_samples(round.ranks(i), names);
  }
}

void CheckLog::add_samples(const std::vector<bench::RankOutcome>& ranks,
                           const std::vector<std::string>& hosts) {
  if (ranks.size() < 2 || ranks.size() % hosts.size() != 0) return;
  for (const bench::Row& row : ranks.front().report->rows) {
    samples_.push_back({hosts, static_cast<std::uint32_t>(ranks.size() / hosts.size()), row.bytes,
                        row.out_of_place.busbw});
  }
}

std::vector<bench::MeasuredBusbw> CheckLog::busbw(std::span<const std::string> unfit) const {
  const auto is_unfit = [unfit](const std::string& host) {
    return std::find(unfit.begin(), unfit.end(), host) != unfit.end();
  };
  using Shape = std::tuple<std::size_t, std::uint32_t, std::uint64_t>;
  std::map<Shape, std::vector<double>> values;
  for (const Sample& sample : samples_) {
    if (std::any_of(sample.hosts.begin(), sample.hosts.end(), is_unfit)) continue;
    values[{sample.hosts.size(), sample.ranks_per_node, sample.bytes}].push_back(sample.busbw);
  }
  std::vector<bench::MeasuredBusbw> all;
  for (auto& [shape, numbers] : values) {
    const auto& [nodes, ranks, bytes] = shape;
    all.push_back({kOperation, static_cast<std::uint32_t>(nodes), ranks, "", bytes,
                   median(std::move(numbers))});
  }
  return all;
}

}  // namespace muster::launcher
