// The check's part of the coordinator: choose a backend, run rounds of check gangs until the nodes
// are chosen, go on or end. What is asked of the nodes before and after it stands in
// coordinator_health.cc; which nodes are out, and which are the world, in coordinator_world.cc.
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "collectives-bench/table.h"
#include "launcher/coordinator/coordinator.h"
#include "launcher/coordinator/health_report.h"
#include "rendezvous/text.h"

namespace muster::launcher {

namespace {

// Binding some ports: only a machine that is stuck takes longer.
constexpr Duration kOpenPatience = std::chrono::seconds(10);
constexpr std::size_t kMostEvidence = 12;  // lines
// No round begins with less than this part of --check-deadline, which is what check_settings.cc
// allows for the start of a round's processes.
constexpr int kLeastShare = 4;

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

// Before a restart: the nodes that are out stay out, all others are measured, spares too.
void Coordinator::check_again(TimePoint now) {
  Result<plan::JobPlan> all = plan_roster(roster_, options_.slots);
  if (!all) return close(to_int(ExitCode::kUsage), all.error().message(), now);
  job_ = std::move(*all);
  left_out_.clear();
  for (Agent& member : agents_) {
    member.in_world = true;
    member.in_gang = false;
  }
  count_slots();
  check_ = {};
  for (const auto& [place, why] : out_) check_.absent.insert(place);
  health_->begin_anew();
  look_at_nodes(Phase::kLooking, now);
}

// nullopt: there is nothing to measure with, or nothing to measure; says why.
std::optional<bench::BackendKind> Coordinator::choose_backend() {
  if (options_.check == CheckMode::kNccl) return bench::BackendKind::kNccl;
  if (options_.check == CheckMode::kFabric) return bench::BackendKind::kFabric;
  bool all_nccl = true;
  bool all_fabric = true;
  for (std::size_t i = 0; i < agents_.size(); ++i) {
    all_nccl = all_nccl && agents_[i].facts.has_nccl_backend;
    all_fabric = all_fabric && agents_[i].facts.has_fabric_backend;
  }
  const bool several_nodes = hosts_.size() > 1;
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

void Coordinator::open_check(TimePoint now) {
  const bool one = check_backend_ == bench::BackendKind::kFabric;
  std::uint32_t local_ranks = 0;  // the fewest that a node has
  check_.nodes.clear();
  std::uint32_t processes = 0;
  for (const plan::NodePlan& node : job_.nodes) {
    CheckNode place{node.host, node.node, processes, {}};
    const std::uint32_t slots = one ? 1 : node.shape.slots();
    for (std::uint32_t slot = 0; slot < slots; ++slot) {
      const std::uint32_t task = one ? 0 : slot / node.shape.slots_per_agent;
      place.agents.push_back(MemberIndex{value_of(node.first_agent) + task});
    }
    processes += slots;
    local_ranks = local_ranks == 0 ? slots : std::min(local_ranks, slots);
    check_.nodes.push_back(std::move(place));
  }
  SelectionOptions selection;
  for (const CheckNode& node : check_.nodes) selection.hosts.push_back(node.host);
  selection.candidates = fit_places();
  selection.wanted = wanted_nodes();
  selection.seen_bad = places_seen_bad();
  if (!selection.seen_bad.empty()) {
    std::vector<std::string> hosts;
    for (const std::uint32_t place : selection.seen_bad) hosts.push_back(hosts_[place]);
    say("muster: check: seen unfit twice this week, suspected first: " +
        rendezvous::fold_hosts(hosts));
  }
  selection.local_ranks = local_ranks;
  check_.wishes = {options_.check_spec, options_.check_min_busbw, options_.check_deadline,
                   options_.record_baseline && value_of(attempt_) == 0, false};
  check_.wishes.spec.backend = *check_backend_;
  check_.wishes.spec.sizes = options_.check_sizes.value_or(default_sizes(*check_backend_));
  check_.wishes.compares_unknown =
      options_.check_only || selection.candidates.size() > selection.wanted;
  selection.settings = [wishes = check_.wishes, profile = options_.profile,
                        ranks = local_ranks](std::uint32_t nodes) {
    return check_settings(wishes, profile, {nodes, ranks});
  };
  check_.search_end = now + options_.check_deadline;
  check_.searching = false;
  check_.selection.emplace(std::move(selection));
  follow(check_.selection->begin(), now);
}

void Coordinator::follow(NodeSelection::Next next, TimePoint now) {
  auto* round = std::get_if<bench::localise::Round>(&next);
  if (round == nullptr) return settle(std::move(std::get<Choice>(next)), now);
  using bench::localise::RoundKind;
  const bool is_search = round->kind != RoundKind::kIntra && round->kind != RoundKind::kWorld;
  // Nodes that measure themselves again have time of their own, and then all nodes together.
  const bool repeats = round->kind == RoundKind::kIntra && !check_.log.rounds().empty();
  if (!check_.searching && repeats != std::exchange(check_.repeating, repeats)) {
    check_.search_end = now + options_.check_deadline;
  }
  if (is_search && !std::exchange(check_.searching, true)) {
    check_.search_end = now + options_.check_deadline;
    say("muster: check: a search follows, of " + rendezvous::seconds_text(options_.check_deadline) +
        " at most (--check-deadline)");
  }
  const auto left = std::chrono::ceil<Duration>(check_.search_end - now);
  check_.is_cut_short = left < round->deadline;
  // Processes that have no time to meet look as if they hung.
  if (left < std::min(round->deadline, options_.check_deadline / kLeastShare)) {
    return conclude_early("its time is over (--check-deadline)", now);
  }
  round->deadline = std::min(round->deadline, left);
  start_round(std::move(*round), now);
}

void Coordinator::conclude_early(const std::string& why, TimePoint now) {
  say("muster: check: " + why + "; judging by what is known");
  settle(check_.selection->conclude(), now);
}

void Coordinator::start_round(bench::localise::Round round, TimePoint now) {
  gang_ = GangId{value_of(gang_) + 1};
  say_round(round);
  std::vector<CheckNode> nodes;
  for (const std::uint32_t place : check_.selection->searched())
    nodes.push_back(check_.nodes[place]);
  const Duration meeting = round.deadline;
  check_.round.emplace(gang_, std::move(round), nodes, check_.selection->local_ranks());
  for (std::size_t i = 0; i < agents_.size(); ++i) {
    agents_[i].in_gang = check_.round->has(MemberIndex{static_cast<std::uint32_t>(i)});
    agents_[i].finished = false;
  }
  phase_ = Phase::kChecking;
  deadline_ = now + kOpenPatience;
  effects_.push_back(OpenCheckGroups{gang_, check_.round->groups(), meeting});
}

// The first rounds end in a table; the search is long enough to be told of.
void Coordinator::say_round(const bench::localise::Round& round) {
  if (!check_.searching) return;
  say(fmt::format("muster: check: round {}, {}: {} group{} at once", check_.log.rounds().size() + 1,
                  to_string(round.kind), round.groups.size(), round.groups.size() == 1 ? "" : "s"));
}

// The rounds before it have told something.
void Coordinator::end_unopened(const std::string& why, TimePoint now) {
  if (check_.log.rounds().empty()) return check_not_measured(why, now);
  effects_.push_back(CloseCheckGroups{});
  conclude_early("could not start a round: " + why, now);
}

void Coordinator::start_check_gang(const CheckGroupsOpened& event, TimePoint now) {
  if (event.gang != gang_ || !check_.round) return;
  StartCheck message;
  message.gang = gang_;
  message.one_per_node = check_backend_ == bench::BackendKind::kFabric;
  message.arguments = bench::gang_arguments(spec_of(check_.wishes, check_.round->round()));
  message.key = event.key;
  message.environment = options_.job_environment;
  for (auto& [agent, groups] : check_.round->orders(event.ports, now)) {
    message.groups = std::move(groups);
    effects_.push_back(SendTo{agent, message});
  }
  watch_round(now);
}

void Coordinator::note_check_process(const WorkerEnded& message, TimePoint now) {
  if (message.gang != gang_ || !check_.round) return;
  check_.round->note_process(message.end, now);
  watch_round(now);
}

void Coordinator::note_reports(MemberIndex index, const GangFinished& message, TimePoint now) {
  if (message.gang != gang_ || !check_.round) return;
  agent(index).finished = true;
  check_.round->note_finished(index, message.reports, now);
  watch_round(now);
}

void Coordinator::pass_check_deadline(TimePoint now) {
  if (!check_.round || !check_.round->next_deadline()) {
    return end_unopened("its meeting places were not opened within 10 s", now);
  }
  for (const MemberIndex late : check_.round->pass_deadline(now)) {
    effects_.push_back(SendTo{late, StopGang{gang_, SIGTERM, kCheckStopGrace, false}});
  }
  watch_round(now);
}

void Coordinator::watch_round(TimePoint now) {
  if (check_.round->is_over()) return end_round(now);
  // Before its groups are open, theirs holds.
  if (const auto next = check_.round->next_deadline()) deadline_ = next;
}

void Coordinator::end_round(TimePoint now) {
  deadline_.reset();
  effects_.push_back(CloseCheckGroups{});
  std::vector<std::string> hosts;
  for (const std::uint32_t place : check_.selection->searched())
    hosts.push_back(check_.nodes[place].host);
  std::vector<bench::localise::GroupOutcome> outcomes = check_.round->outcomes();
  check_.log.add(*check_.round, outcomes, hosts, now);
  note_networks();
  const bool has_spares = check_.selection->candidates().size() > wanted_nodes();
  const bool is_over_all = check_.round->round().kind == bench::localise::RoundKind::kWorld;
  const bool is_first = check_.log.rounds().size() == 1;
  if (is_first ? is_over_all || hosts.size() == 1 : is_over_all && !check_.searching) say_table();
  if (!lose_mute_nodes(now)) return;
  check_.round.reset();
  const bool hung = std::any_of(outcomes.begin(), outcomes.end(), [](const auto& outcome) {
    return outcome.kind == bench::localise::OutcomeKind::kHung;
  });
  if (check_.searching && check_.is_cut_short && hung && now >= check_.search_end) {
    return conclude_early("its time is over (--check-deadline)", now);
  }
  const bool failed = outcomes.front().kind == bench::localise::OutcomeKind::kFailed;
  NodeSelection::Next next = check_.selection->step(std::move(outcomes));
  if (is_over_all && failed && goes_on_unmeasured() && !has_spares)
    next = check_.selection->conclude();
  follow(std::move(next), now);
}

// Nobody asked for a measurement: where none can be made, nobody waits for a search.
bool Coordinator::goes_on_unmeasured() const {
  return options_.check == CheckMode::kAuto && !options_.check_min_busbw && !options_.check_only &&
         !options_.record_baseline;
}

// Their gangs may still be there: nothing more can be started on them. False when that ends the
// job.
bool Coordinator::lose_mute_nodes(TimePoint now) {
  for (const MemberIndex mute : check_.round->mute()) {
    agent(mute).mute = true;
    const LeftOut why{kFaultAgent, "its agent did not end the check's processes"};
    if (do_without(static_cast<std::uint32_t>(place_of(mute)), why)) continue;
    close(to_int(ExitCode::kUnfit),
          "check: " + host_of(mute) + ": " + why.evidence + "; " + std::string(nothing_started()),
          now);
    return false;
  }
  return true;
}

// nccl-tests' columns, from the first rank's times and every rank's wrong elements.
void Coordinator::say_table() {
  const std::vector<bench::RankOutcome>& ranks = check_.log.world();
  if (ranks.empty() || !ranks.front().report || ranks.front().report->rows.empty()) return;
  const bench::RankReport& first = *ranks.front().report;
  std::string text = "# " + first.library + ", " + first.network + ", " + first.device + "\n" +
                     bench::table_header();
  for (std::size_t i = 0; i < first.rows.size(); ++i) {
    bench::Row row = first.rows[i];
    for (std::size_t rank = 1; rank < ranks.size(); ++rank) {
      const std::optional<bench::RankReport>& report = ranks[rank].report;
      if (!report || i >= report->rows.size()) continue;
      add_wrong(row.out_of_place, report->rows[i].out_of_place);
      add_wrong(row.in_place, report->rows[i].in_place);
    }
    text += bench::table_row(row);
  }
  text.pop_back();  // the last newline
  say(std::move(text));
  say_times();
}

// What the first rounds cost, and how much of it is not the libraries' and the operations' own.
void Coordinator::say_times() {
  bench::PhaseTimings longest;
  for (const bench::RankOutcome& one : check_.log.world()) {
    if (!one.report) continue;
    const bench::PhaseTimings& times = one.report->timings;
    longest.join = std::max(longest.join, times.join);
    longest.context = std::max(longest.context, times.context);
    longest.init = std::max(longest.init, times.init);
    longest.warmup = std::max(longest.warmup, times.warmup);
    longest.measure = std::max(longest.measure, times.measure);
  }
  const double took = std::chrono::duration<double>(check_.log.rounds().back().took).count();
  const double theirs = longest.context + longest.init + longest.warmup + longest.measure;
  say(fmt::format(
      "muster: check: {:.2f} s: meeting {:.2f}, context {:.2f}, init {:.2f}, warm-up {:.2f}, "
      "iterations {:.2f}; the rest, verification and processes, {:.2f}",
      took, longest.join, longest.context, longest.init, longest.warmup, longest.measure,
      std::max(0.0, took - longest.join - theirs)));
}

void Coordinator::settle(Choice choice, TimePoint now) {
  check_.round.reset();
  deadline_.reset();
  for (Agent& member : agents_) member.in_gang = false;
  say("muster: check: " + choice.line);
  if (check_.searching) {
    const std::size_t lines = std::min(choice.evidence.size(), kMostEvidence);
    for (std::size_t i = 0; i < lines; ++i) say("muster: check:   " + choice.evidence[i]);
  }
  for (const Unfit& unfit : choice.unfit) {
    const bool runs =
        std::find(choice.chosen.begin(), choice.chosen.end(), unfit.place) != choice.chosen.end();
    if (runs) continue;
    out_.emplace(unfit.place,
                 LeftOut{std::string(to_string(unfit.fault)), unfit.evidence, unfit.ratio});
  }
  check_.choice = std::move(choice);
  say_sources();
  if (is_second_look_due()) return look_at_nodes(Phase::kLookingAgain, now);
  conclude_check(now);
}

// Where an expectation of the profile comes from that the machine missed.
void Coordinator::say_sources() {
  const auto nodes = static_cast<std::uint32_t>(check_.selection->candidates().size());
  for (const bench::MeasuredBusbw& one : check_.log.busbw({})) {
    if (one.nodes != nodes || one.bytes != judged_bytes(check_.wishes.spec)) continue;
    const auto expected = bench::expect_busbw(
        options_.profile, {one.operation, one.nodes, one.ranks_per_node, one.bytes, {}});
    if (!expected || one.busbw >= expected->minimum) continue;
    const bool is_recorded = expected->kind == bench::FigureKind::kRecorded;
    if (check_backend_ == bench::BackendKind::kFabric && !is_recorded) continue;
    say(fmt::format("muster: check: the profile {} expects at least {:.4g} GB/s ({}{}: {})",
                    options_.profile.name, expected->minimum, to_string(expected->kind),
                    expected->is_estimate ? ", estimated" : "", expected->source));
  }
}

void Coordinator::conclude_check(TimePoint now) {
  say_commands();
  keep_baseline();
  switch (check_.choice->decision) {
    case bench::localise::Decision::kGo:
    case bench::localise::Decision::kWarn:
      return go_on(now);
    case bench::localise::Decision::kStop:
      return close(to_int(ExitCode::kUnfit),
                   "the check found the machine unfit; " + std::string(nothing_started()), now);
    case bench::localise::Decision::kNotMeasured:
      return check_not_measured("", now);
  }
}

// Only of a machine in which nothing was found: it will be what others are held to.
void Coordinator::keep_baseline() {
  if (!options_.record_baseline || value_of(attempt_) > 0) return;
  const bool is_fit = check_.choice->decision == bench::localise::Decision::kGo ||
                      check_.choice->decision == bench::localise::Decision::kWarn;
  if (!is_fit || !check_.choice->unfit.empty() || !check_.choice->links.empty()) {
    return say("muster: --record-baseline: nothing is recorded, the machine was not found fit");
  }
  std::vector<std::string> hosts;
  for (const CheckNode& node : check_.nodes) hosts.push_back(node.host);
  const std::string origin =
      fmt::format("job {} on {}, {}, {} all_reduce", options_.job, rendezvous::fold_hosts(hosts),
                  utc_text(options_.started), to_string(*check_backend_));
  effects_.push_back(
      KeepBaseline{bench::record_baseline(options_.profile, check_.log.busbw({}), origin)});
}

void Coordinator::go_on(TimePoint now) {
  if (!options_.check_only) return prepare_workers(now);
  const bool warns = check_.choice && check_.choice->decision == bench::localise::Decision::kWarn;
  close(to_int(ExitCode::kSuccess),
        warns            ? "check: fit, with a warning: nothing that was found may stop a job"
        : check_backend_ ? "check: fit"
                         : "check: fit as far as the probes tell; nothing was measured",
        now);
}

// Nothing is known of the machine. Who asked for a measurement gets no run without one.
void Coordinator::check_not_measured(const std::string& why, TimePoint now) {
  if (check_.round) effects_.push_back(CloseCheckGroups{});
  check_.round.reset();
  if (!why.empty()) say("muster: check: could not measure: " + why);
  if (goes_on_unmeasured()) {
    check_.selection.reset();
    check_backend_.reset();  // nor before a restart
    say("muster: check: going on unmeasured, since --check=auto asks for no minimum; " +
        std::string("--check=off leaves the check out"));
    return prepare_workers(now);
  }
  close(to_int(ExitCode::kNotMeasured),
        options_.check_only
            ? "check: could not measure"
            : fmt::format("the check could not measure; {}. --check=off runs without it",
                          nothing_started()),
        now);
}

}  // namespace muster::launcher
