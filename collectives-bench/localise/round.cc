#include "collectives-bench/localise/round.h"

#include <algorithm>
#include <cmath>

namespace muster::bench::localise {

std::string_view to_string(RoundKind kind) {
  switch (kind) {
    case RoundKind::kIntra:
      return "intra";
    case RoundKind::kWorld:
      return "world";
    case RoundKind::kPairs:
      return "pairs";
    case RoundKind::kConfirm:
      return "confirm";
    case RoundKind::kRails:
      return "rails";
    case RoundKind::kRepeat:
      return "repeat";
  }
  return "unknown";
}

Duration round_deadline(RoundKind kind, const Work& work, std::size_t ranks,
                        std::optional<double> busbw, const DeadlineRule& rule) {
  if (!busbw || !(*busbw > 0)) {
    const bool is_of_some =
        kind == RoundKind::kPairs || kind == RoundKind::kConfirm || kind == RoundKind::kRails;
    return is_of_some ? rule.unknown_pairs : rule.unknown;
  }
  // No operation moves more than twice its buffer over a rank's link (all-reduce: 2(n-1)/n).
  const double factor = ranks > 1 ? 2.0 : 1.0;
  const double operation_ms = static_cast<double>(work.bytes) * factor / (*busbw * 1e6);
  const double operations = 2.0 * work.warmup + work.iterations;
  const double total_ms = rule.slack * operations * operation_ms;
  constexpr double kLongest_ms = 24.0 * 3600 * 1000;  // a threshold of nearly 0 must not overflow
  return rule.start +
         Duration(static_cast<std::int64_t>(std::ceil(std::min(total_ms, kLongest_ms))));
}

std::size_t rank_count(const Group& group) {
  std::size_t count = 0;
  for (const Member& member : group.members) count += member.local_ranks.size();
  return count;
}

}  // namespace muster::bench::localise
