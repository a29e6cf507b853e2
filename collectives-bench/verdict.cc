#include "collectives-bench/verdict.h"

#include <fmt/format.h>

#include <algorithm>

#include "collectives-bench/busbw.h"
#include "collectives-bench/sizes.h"

namespace muster::bench {

namespace {

using Outcomes = std::vector<RankOutcome>;

constexpr std::size_t kNamedRanks = 8;  // a line names so many and counts the others

std::string ranks_text(const Outcomes& outcomes, const std::vector<std::uint32_t>& ranks) {
  std::string text = ranks.size() == 1 ? "rank " : "ranks ";
  for (std::size_t i = 0; i < std::min(ranks.size(), kNamedRanks); ++i) {
    text += fmt::format("{}{} ({})", i == 0 ? "" : ", ", ranks[i], outcomes[ranks[i]].host);
  }
  if (ranks.size() > kNamedRanks) text += fmt::format(" and {} more", ranks.size() - kNamedRanks);
  return text;
}

// "fabric all_reduce 4 ranks"; the backend as the first report that knows it says.
std::string subject(const Outcomes& outcomes) {
  std::string backend;
  for (const RankOutcome& outcome : outcomes) {
    if (backend.empty() && outcome.report) backend = outcome.report->backend;
  }
  return fmt::format("{}{}all_reduce {} rank{}", backend, backend.empty() ? "" : " ",
                     outcomes.size(), outcomes.size() == 1 ? "" : "s");
}

template <class Predicate>
std::vector<std::uint32_t> ranks_where(const Outcomes& outcomes, Predicate holds) {
  std::vector<std::uint32_t> ranks;
  for (std::uint32_t rank = 0; rank < outcomes.size(); ++rank) {
    if (holds(outcomes[rank])) ranks.push_back(rank);
  }
  return ranks;
}

Verdict conclude(const Outcomes& outcomes, Decision decision, Seen seen, std::string text,
                 std::vector<std::uint32_t> culprits) {
  Verdict verdict;
  verdict.seen = seen;
  verdict.decision = decision;
  verdict.line = fmt::format("{} {}", subject(outcomes), text);
  verdict.culprits = std::move(culprits);
  return verdict;
}

std::uint64_t wrong_elements(const RankOutcome& outcome) {
  std::uint64_t wrong = 0;
  if (!outcome.report) return 0;
  for (const Row& row : outcome.report->rows) {
    wrong += row.out_of_place.wrong.value_or(0) + row.in_place.wrong.value_or(0);
  }
  return wrong;
}

bool hung(const RankOutcome& outcome) {
  if (!outcome.report) return outcome.missing == MissingReason::kKilledAtDeadline;
  return outcome.report->error && outcome.report->error->code == ErrorCode::kTimeout;
}

bool failed(const RankOutcome& outcome) {
  return !outcome.report || outcome.report->error.has_value();
}

std::optional<Verdict> find_wrong_data(const Outcomes& outcomes) {
  const auto culprits =
      ranks_where(outcomes, [](const RankOutcome& outcome) { return wrong_elements(outcome) > 0; });
  if (culprits.empty()) return std::nullopt;
  std::uint64_t wrong = 0;
  for (const RankOutcome& outcome : outcomes) wrong += wrong_elements(outcome);
  return conclude(outcomes, Decision::kStop, Seen::kWrongData,
                  fmt::format("gave wrong data: {} wrong element{} on {}", wrong,
                              wrong == 1 ? "" : "s", ranks_text(outcomes, culprits)),
                  culprits);
}

bool died_of_itself(const RankOutcome& outcome) {
  return !outcome.report && outcome.missing != MissingReason::kKilledAtDeadline;
}

// Silent ranks are the suspects; a rank that reported its own deadline was waiting for another, and
// its text says for whom.
std::optional<Verdict> find_hang(const Outcomes& outcomes) {
  // Where a rank died of itself, the others hung for want of it: that is no hang of the machine.
  if (!ranks_where(outcomes, died_of_itself).empty()) return std::nullopt;
  const auto stuck = ranks_where(outcomes, hung);
  if (stuck.empty()) return std::nullopt;
  const auto silent =
      ranks_where(outcomes, [](const RankOutcome& outcome) { return !outcome.report; });
  const auto waiting = std::find_if(stuck.begin(), stuck.end(), [&](std::uint32_t rank) {
    return outcomes[rank].report.has_value();
  });
  std::string text = "hung";
  if (!silent.empty()) {
    text += fmt::format(": no report from {}", ranks_text(outcomes, silent));
    const std::string& detail = outcomes[silent.front()].detail;
    if (!detail.empty()) text += fmt::format(" ({})", detail);
  }
  if (waiting != stuck.end()) {
    const ReportError& error = *outcomes[*waiting].report->error;
    text += fmt::format("; rank {} ({}) in phase {}: {}", *waiting, outcomes[*waiting].host,
                        to_string(error.phase), error.text);
  }
  return conclude(outcomes, Decision::kStop, Seen::kHung, text, silent.empty() ? stuck : silent);
}

std::string failure_text(const RankOutcome& outcome) {
  if (outcome.report) {
    const ReportError& error = *outcome.report->error;
    return fmt::format("in phase {}: {}", to_string(error.phase), error.text);
  }
  const std::string detail = outcome.detail.empty() ? "" : fmt::format(" ({})", outcome.detail);
  switch (outcome.missing) {
    case MissingReason::kExited:
      return "ended without a report" + detail;
    case MissingReason::kBadReport:
      return "wrote no readable report" + detail;
    case MissingReason::kKilledAtDeadline:
      return "was stopped without a report" + detail;
    case MissingReason::kNotStarted:
      break;
  }
  return "did not start" + detail;
}

// A rank that died of itself says more than the peers who lost it.
std::uint32_t most_telling(const Outcomes& outcomes, const std::vector<std::uint32_t>& ranks) {
  const auto dead = std::find_if(ranks.begin(), ranks.end(), [&](std::uint32_t rank) {
    return died_of_itself(outcomes[rank]);
  });
  if (dead != ranks.end()) return *dead;
  const auto own_death = std::find_if(ranks.begin(), ranks.end(), [&](std::uint32_t rank) {
    return !outcomes[rank].report || outcomes[rank].report->error->code != ErrorCode::kUnavailable;
  });
  return own_death == ranks.end() ? ranks.front() : *own_death;
}

std::optional<Verdict> find_failure(const Outcomes& outcomes) {
  const auto culprits = ranks_where(outcomes, failed);
  if (culprits.empty()) return std::nullopt;
  const std::uint32_t told = most_telling(outcomes, culprits);
  std::string text = fmt::format("could not measure: rank {} ({}) {}", told, outcomes[told].host,
                                 failure_text(outcomes[told]));
  if (culprits.size() > 1) text += fmt::format(" (and {} more ranks failed)", culprits.size() - 1);
  return conclude(outcomes, Decision::kNotMeasured, Seen::kNotMeasured, text, culprits);
}

// Reports must be of one and the same run: a gang whose processes each ran a world of their own
// would look fast.
std::optional<Verdict> find_contradiction(const Outcomes& outcomes) {
  const RankReport& first = *outcomes.front().report;
  for (std::uint32_t rank = 0; rank < outcomes.size(); ++rank) {
    const RankReport& report = *outcomes[rank].report;
    const bool same_rows =
        std::equal(report.rows.begin(), report.rows.end(), first.rows.begin(), first.rows.end(),
                   [](const Row& a, const Row& b) { return a.bytes == b.bytes; });
    std::string problem;
    if (report.size != outcomes.size() || report.rank != rank) {
      problem = fmt::format("reports itself as rank {} of {}", report.rank, report.size);
    } else if (report.backend != first.backend) {
      problem = fmt::format("measured {}, rank 0 {}", report.backend, first.backend);
    } else if (report.rows.empty()) {
      problem = "reports no measurement";
    } else if (!same_rows) {
      problem = "measured other sizes than rank 0";
    } else if (!(report.rows.back().out_of_place.time_us > 0)) {
      problem = "reports a time of 0";
    }
    if (problem.empty()) continue;
    return conclude(
        outcomes, Decision::kNotMeasured, Seen::kNotMeasured,
        fmt::format("could not measure: rank {} ({}) {}", rank, outcomes[rank].host, problem),
        {rank});
  }
  return std::nullopt;
}

double mean_time_us(const Outcomes& outcomes) {
  double sum = 0;
  for (const RankOutcome& outcome : outcomes) {
    sum += outcome.report->rows.back().out_of_place.time_us;
  }
  return sum / static_cast<double>(outcomes.size());
}

void add_iterations(const Outcomes& outcomes, Verdict& verdict) {
  verdict.p50_busbw = verdict.busbw;
  const IterationStatistics* slowest = nullptr;
  for (const RankOutcome& outcome : outcomes) {
    const auto& iterations = outcome.report->rows.back().out_of_place.iterations;
    if (!iterations || !(iterations->p50_us > 0)) continue;
    if (slowest == nullptr || iterations->p50_us > slowest->p50_us) slowest = &*iterations;
  }
  if (slowest == nullptr) return;
  const double mean_us = mean_time_us(outcomes);
  verdict.p50_busbw = verdict.busbw * mean_us / slowest->p50_us;
  if (slowest->p99_us > 0) verdict.p99_busbw = verdict.busbw * mean_us / slowest->p99_us;
  verdict.cv = slowest->cv;
}

Verdict compare(const Outcomes& outcomes, const Limits& limits) {
  const Row& largest = outcomes.front().report->rows.back();
  const double algbw = algorithm_bandwidth(largest.bytes, mean_time_us(outcomes));
  const double busbw = all_reduce_bus_bandwidth(algbw, outcomes.size());
  const bool verified = std::all_of(outcomes.begin(), outcomes.end(), [](const auto& outcome) {
    return outcome.report->rows.back().out_of_place.wrong.has_value();
  });
  const std::string unverified = verified ? "" : ", data not verified";
  Verdict verdict;
  if (outcomes.size() == 1) {  // busbw is 0 by definition: neither slow nor fast
    const bool asked = limits.min_busbw > 0;
    verdict = conclude(
        outcomes, asked ? Decision::kNotMeasured : Decision::kGo, Seen::kMeasured,
        asked ? fmt::format("could not measure: one rank has no bus bandwidth (minimum {:.3f})",
                            limits.min_busbw)
              : fmt::format("{} algbw {:.3f} GB/s{}: fit", bytes_text(largest.bytes), algbw,
                            unverified),
        {});
  } else {
    const bool slow = busbw < limits.min_busbw;
    const std::string minimum =
        limits.min_busbw > 0 ? fmt::format("minimum {:.3f}", limits.min_busbw) : "no minimum";
    verdict = conclude(outcomes, slow ? Decision::kStop : Decision::kGo, Seen::kMeasured,
                       fmt::format("{} busbw {:.3f} GB/s ({}){}: {}", bytes_text(largest.bytes),
                                   busbw, minimum, unverified, slow ? "below the minimum" : "fit"),
                       {});
  }
  verdict.bytes = largest.bytes;
  verdict.busbw = busbw;
  add_iterations(outcomes, verdict);
  return verdict;
}

}  // namespace

std::string_view to_string(Decision decision) {
  switch (decision) {
    case Decision::kGo:
      return "go";
    case Decision::kStop:
      return "stop";
    case Decision::kNotMeasured:
      return "could not measure";
  }
  return "unknown";
}

Verdict judge(const Outcomes& outcomes, const Limits& limits) {
  if (outcomes.empty()) {
    return conclude(outcomes, Decision::kNotMeasured, Seen::kNotMeasured,
                    "could not measure: nobody took part", {});
  }
  if (auto wrong = find_wrong_data(outcomes)) return *wrong;
  if (auto hang = find_hang(outcomes)) return *hang;
  if (auto broken = find_failure(outcomes)) return *broken;
  if (auto contradiction = find_contradiction(outcomes)) return *contradiction;
  return compare(outcomes, limits);
}

}  // namespace muster::bench
