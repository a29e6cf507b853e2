// The health's part of the coordinator: ask every node for a look, judge them, go on or end.
#include <algorithm>
#include <utility>

#include "launcher/coordinator/coordinator.h"
#include "launcher/coordinator/health_report.h"
#include "rendezvous/text.h"

namespace muster::launcher {

void Coordinator::say_profile() {
  if (!options_.environment_lines.empty() || !options_.job_environment.empty()) {
    say("muster: profile " + options_.profile.name);
  }
  for (const std::string& line : options_.environment_lines) say("muster: profile: " + line);
}

void Coordinator::look_at_nodes(Phase phase, TimePoint now) {
  if (!health_) {
    health_.emplace(hosts_);
  }
  health_->begin_look(now);
  look_ = LookId{value_of(look_) + 1};
  phase_ = phase;
  deadline_ = now + kLookDeadline;
  for (std::size_t i = 0; i < agents_.size(); ++i) {
    if (!agents_[i].lead) continue;
    const std::size_t place = agents_[i].place;
    // Of a node that this very check found unfit, the look after it may tell why.
    const bool was_out = check_.absent.contains(static_cast<std::uint32_t>(place));
    if (agents_[i].lost || agents_[i].mute || was_out) {
      health_->forget(place);
      continue;
    }
    effects_.push_back(SendTo{MemberIndex{static_cast<std::uint32_t>(i)}, LookAtNode{look_}});
  }
  if (health_->is_complete()) judge_health(now);  // nobody is left to ask
}

void Coordinator::note_look(MemberIndex from, const NodeLooked& message, TimePoint now) {
  if (message.look != look_ || !agent(from).lead) return;
  health_->note(agent(from).place, message, now);
  if (health_->is_complete()) judge_health(now);
}

void Coordinator::end_look(TimePoint now) {
  health_->end_look("its agent did not answer in " + rendezvous::seconds_text(kLookDeadline));
  judge_health(now);
}

void Coordinator::judge_health(TimePoint now) {
  deadline_.reset();
  for (const std::string& line : health_->judge(health::expectations_of(options_.profile))) {
    say("muster: " + line);
  }
  bool is_unfit = false;
  for (const std::size_t place : health_->unfit_nodes()) {
    const LeftOut why{kFaultProbes, "the probes found it unfit"};
    if (do_without(static_cast<std::uint32_t>(place), why)) continue;
    out_.emplace(static_cast<std::uint32_t>(place), why);
    is_unfit = true;
  }
  if (is_unfit) {
    say_commands();
    return close(to_int(ExitCode::kUnfit),
                 "the probes found the machine unfit; " + std::string(nothing_started()), now);
  }
  if (phase_ == Phase::kLookingAgain) return conclude_check(now);
  if (check_backend_) return open_check(now);
  go_on(now);
}

// What the round's NCCL said of itself is judged with the second look.
void Coordinator::note_networks() {
  if (!health_) return;
  for (std::size_t group = 0; group < check_.round->round().groups.size(); ++group) {
    for (const bench::RankOutcome& outcome : check_.round->ranks(group)) {
      if (!outcome.report || !outcome.report->nccl) continue;
      const auto host = std::find(hosts_.begin(), hosts_.end(), outcome.host);
      if (host == hosts_.end()) continue;
      health_->note_nccl(static_cast<std::size_t>(host - hosts_.begin()), *outcome.report->nccl);
    }
  }
}

bool Coordinator::is_second_look_due() const {
  return health_ && health_->has_devices();
}

void Coordinator::keep_report(int exit_code, TimePoint now) {
  if (!options_.check_only) return;
  if (health_) {
    std::string tables = health_->tables();
    if (!tables.empty()) tables.pop_back();  // the last newline
    say(std::move(tables));
  }
  CheckRecord record;
  record.exit_code = exit_code;
  record.job = options_.job;
  record.started = options_.started;
  record.seconds = std::chrono::duration<double>(now - began_).count();
  record.profile = &options_.profile;
  record.min_busbw = options_.check_min_busbw;
  record.health = health_ ? &*health_ : nullptr;
  if (check_.selection) {
    record.backend = to_string(*check_backend_);
    record.log = &check_.log;
  }
  record.choice = check_.choice ? &*check_.choice : nullptr;
  record.hosts = hosts_;
  record.commands = commands_;
  for (const auto& [place, why] : out_) record.left_out.push_back(hosts_[place]);
  effects_.push_back(KeepReport{print_health_report(record)});
}

}  // namespace muster::launcher
