// The check's part of the coordinator: choose a backend, run the gang, judge, go on or end. What is
// asked of the nodes before and after it stands in coordinator_health.cc.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>

#include "collectives-bench/table.h"
#include "launcher/coordinator/coordinator.h"

namespace muster::launcher {

namespace {

// A failed bench process leaves its peers waiting for it: they get this long to report what they
// saw.
constexpr Duration kReportPatience = std::chrono::seconds(3);
constexpr Duration kCheckStopPatience = std::chrono::seconds(4);
// The gang's own deadline comes first, so that its processes can say where they were.
constexpr Duration kCheckDeadlineMargin = std::chrono::seconds(5);

void add_wrong(bench::Measured& sum, const bench::Measured& one) {
  if (one.wrong) sum.wrong = sum.wrong.value_or(0) + *one.wrong;
}

}  // namespace

void Coordinator::begin_check(TimePoint now) {
  if (options_.check == CheckMode::kOff) return prepare_workers(now);
  check_backend_ = choose_backend();
  if (!check_backend_ && !options_.check_only) return prepare_workers(now);
  look_at_nodes(Phase::kLooking, now);
}

// nullopt: there is nothing to measure with, or nothing to measure; says why.
std::optional<bench::BackendKind> Coordinator::choose_backend() {
  if (options_.check == CheckMode::kNccl) return bench::BackendKind::kNccl;
  if (options_.check == CheckMode::kFabric) return bench::BackendKind::kFabric;
  bool all_nccl = true;
  bool all_fabric = true;
  bool several_nodes = false;
  for (std::size_t i = 0; i < agents_.size(); ++i) {
    all_nccl = all_nccl && agents_[i].facts.has_nccl_backend;
    all_fabric = all_fabric && agents_[i].facts.has_fabric_backend;
    several_nodes = several_nodes || value_of(roster_.members[i].description.node) > 0;
  }
  if (all_nccl) {
    say("muster: check: nccl, since every agent has a GPU");
    return bench::BackendKind::kNccl;
  }
  if (several_nodes && all_fabric) {
    say("muster: check: fabric, since not every agent has a GPU and the NCCL backend");
    return bench::BackendKind::kFabric;
  }
  say(several_nodes ? "muster: check: skipped, no backend is installed on every node"
                    : "muster: check: skipped, one node without GPUs has no fabric to measure");
  return std::nullopt;
}

void Coordinator::open_check(bench::BackendKind backend, TimePoint now) {
  gang_ = GangId{value_of(gang_) + 1};
  check_backend_ = backend;
  check_outcomes_.clear();
  std::vector<rendezvous::ExpectedMember> expected;
  std::uint32_t local = 0;
  for (std::size_t i = 0; i < agents_.size(); ++i) {
    Agent& member = agents_[i];
    const rendezvous::MemberDescription& place = roster_.members[i].description;
    if (member.lead) local = 0;
    const bool one = backend == bench::BackendKind::kFabric;
    const std::size_t processes = one ? (member.lead ? 1 : 0) : member.slots;
    member.in_gang = processes > 0;
    member.finished = false;
    member.first_gang_rank = static_cast<std::uint32_t>(expected.size());
    for (std::size_t p = 0; p < processes; ++p) {
      expected.push_back({place.node, LocalTask{local++}, place.host});
      bench::RankOutcome outcome;
      outcome.host = place.host;
      check_outcomes_.push_back(outcome);
    }
  }
  phase_ = Phase::kChecking;
  deadline_ = now + options_.check_deadline + kCheckDeadlineMargin;
  effects_.push_back(OpenCheckGroup{gang_, std::move(expected)});
}

void Coordinator::start_check_gang(const CheckGroupOpened& event) {
  if (event.gang != gang_) return;
  bench::CheckSpec spec = options_.check_spec;
  spec.backend = *check_backend_;
  spec.deadline = options_.check_deadline;
  StartCheck message;
  message.gang = gang_;
  message.one_per_node = check_backend_ == bench::BackendKind::kFabric;
  message.arguments = bench::gang_arguments(spec);
  message.port = event.port;
  message.key = event.key;
  message.environment = options_.job_environment;
  for (std::size_t i = 0; i < agents_.size(); ++i) {
    if (!agents_[i].in_gang) continue;
    message.first_rank = agents_[i].first_gang_rank;
    effects_.push_back(SendTo{MemberIndex{static_cast<std::uint32_t>(i)}, message});
  }
}

void Coordinator::note_check_process(const WorkerEnded& message, TimePoint now) {
  if (message.gang != gang_) return;
  const std::size_t rank = value_of(message.end.place.rank);
  if (rank >= check_outcomes_.size()) return;
  bench::RankOutcome& outcome = check_outcomes_[rank];
  if (message.end.start_failure) {
    outcome.missing = bench::MissingReason::kNotStarted;
    outcome.detail = message.end.start_failure->text;
  } else {
    const bool by_us = message.end.stop_sent.has_value();
    outcome.missing =
        by_us ? bench::MissingReason::kKilledAtDeadline : bench::MissingReason::kExited;
    if (!by_us) outcome.detail = to_string(message.end.status);
    if (message.end.status.success()) return;
  }
  if (phase_ == Phase::kChecking && deadline_) {
    deadline_ = std::min(*deadline_, now + kReportPatience);
  }
}

void Coordinator::note_reports(MemberIndex index, const GangFinished& message, TimePoint now) {
  if (message.gang != gang_) return;
  Agent& member = agent(index);
  member.finished = true;
  for (std::size_t i = 0; i < message.reports.size(); ++i) {
    const std::size_t rank = member.first_gang_rank + i;
    if (rank >= check_outcomes_.size() || message.reports[i].empty()) continue;
    Result<bench::RankReport> report = bench::parse_report(message.reports[i]);
    if (report) {
      check_outcomes_[rank].report = std::move(*report);
    } else {
      check_outcomes_[rank].missing = bench::MissingReason::kBadReport;
      check_outcomes_[rank].detail = report.error().message();
    }
  }
  if (gang_is_gone()) judge(now);
}

void Coordinator::stop_check(TimePoint now) {
  phase_ = Phase::kCheckStopping;
  effects_.push_back(SendToAll{StopGang{gang_, SIGTERM, kCheckStopGrace, false}});
  deadline_ = now + kCheckStopPatience;
}

// nccl-tests' columns, from the first rank's times and every rank's wrong elements.
void Coordinator::say_table() {
  const std::optional<bench::RankReport>& first = check_outcomes_.front().report;
  if (!first || first->rows.empty()) return;
  std::string text = "# " + first->library + ", " + first->network + ", " + first->device + "\n" +
                     bench::table_header();
  for (std::size_t i = 0; i < first->rows.size(); ++i) {
    bench::Row row = first->rows[i];
    for (std::size_t rank = 1; rank < check_outcomes_.size(); ++rank) {
      const std::optional<bench::RankReport>& report = check_outcomes_[rank].report;
      if (!report || i >= report->rows.size()) continue;
      add_wrong(row.out_of_place, report->rows[i].out_of_place);
      add_wrong(row.in_place, report->rows[i].in_place);
    }
    text += bench::table_row(row);
  }
  text.pop_back();  // the last newline
  say(std::move(text));
}

void Coordinator::judge(TimePoint now) {
  effects_.push_back(CloseCheckGroup{});
  say_table();
  note_networks();
  bench::Limits limits;
  limits.min_busbw = options_.check_min_busbw.value_or(0);
  check_verdict_ = bench::judge(check_outcomes_, limits);
  say("muster: " + check_verdict_.line);
  if (check_verdict_.decision == bench::Decision::kGo && !is_as_fast_as_expected()) {
    check_verdict_.decision = bench::Decision::kStop;
  }
  if (is_second_look_due()) return look_at_nodes(Phase::kLookingAgain, now);
  conclude_check(now);
}

// Compares the largest size with the profile. Published figures are others' and only warn; the
// fabric's are compared with recorded ones alone, since what is published is NCCL's.
bool Coordinator::is_as_fast_as_expected() {
  const auto lead = static_cast<std::uint32_t>(
      std::count_if(agents_.begin(), agents_.end(), [](const Agent& one) { return one.lead; }));
  const auto ranks = static_cast<std::uint32_t>(check_outcomes_.size());
  if (check_verdict_.bytes == 0 || lead == 0 || ranks % lead != 0) return true;
  const auto expected = bench::expect_busbw(
      options_.profile, {"all_reduce", lead, ranks / lead, check_verdict_.bytes, {}});
  if (!expected || check_verdict_.busbw >= expected->minimum) return true;
  const bool is_recorded = expected->kind == bench::FigureKind::kRecorded;
  if (*check_backend_ == bench::BackendKind::kFabric && !is_recorded) return true;
  say(fmt::format(
      "muster: check: {:.4g} GB/s busbw is less than the {:.4g} GB/s that the profile "
      "{} expects at least ({}{}: {})",
      check_verdict_.busbw, expected->minimum, options_.profile.name, to_string(expected->kind),
      expected->is_estimate ? ", estimated" : "", expected->source));
  return !expected->may_stop();
}

void Coordinator::conclude_check(TimePoint now) {
  switch (check_verdict_.decision) {
    case bench::Decision::kGo:
      return go_on(now);
    case bench::Decision::kStop:
      return close(to_int(ExitCode::kUnfit),
                   "the check found the machine unfit; nothing was started", now);
    case bench::Decision::kNotMeasured:
      return check_not_measured("", now);
  }
}

void Coordinator::go_on(TimePoint now) {
  if (!options_.check_only) return prepare_workers(now);
  close(
      to_int(ExitCode::kSuccess),
      check_backend_ ? "check: fit" : "check: fit as far as the probes tell; nothing was measured",
      now);
}

// Nothing is known of the machine. Who asked for a measurement gets no run without one.
void Coordinator::check_not_measured(const std::string& why, TimePoint now) {
  if (!why.empty()) say("muster: check: could not measure: " + why);
  if (options_.check == CheckMode::kAuto && !options_.check_min_busbw && !options_.check_only) {
    say("muster: check: going on unmeasured, since --check=auto asks for no minimum; " +
        std::string("--check=off leaves the check out"));
    return prepare_workers(now);
  }
  close(to_int(ExitCode::kNotMeasured),
        options_.check_only
            ? "check: could not measure"
            : "the check could not measure; nothing was started. --check=off runs without it",
        now);
}

}  // namespace muster::launcher
