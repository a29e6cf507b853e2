// The health's part of the coordinator: ask every node for a look, judge them, go on or end.
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
    std::vector<std::string> hosts;
    for (std::size_t i = 0; i < agents_.size(); ++i) {
      if (!agents_[i].lead) continue;
      agents_[i].place = hosts.size();
      hosts.push_back(roster_.members[i].description.host);
    }
    health_.emplace(hosts);
  }
  health_->begin_look(now);
  look_ = LookId{value_of(look_) + 1};
  phase_ = phase;
  deadline_ = now + kLookDeadline;
  for (std::size_t i = 0; i < agents_.size(); ++i) {
    if (!agents_[i].lead) continue;
    effects_.push_back(SendTo{MemberIndex{static_cast<std::uint32_t>(i)}, LookAtNode{look_}});
  }
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
  const bool is_first = phase_ == Phase::kLooking;
  if (health_->is_unfit()) {
    return close(to_int(ExitCode::kUnfit),
                 "the probes found the machine unfit; nothing was started", now);
  }
  if (!is_first) return conclude_check(now);
  if (check_backend_) return open_check(*check_backend_, now);
  go_on(now);
}

// What the check's NCCL said of itself is judged with the second look.
void Coordinator::note_networks() {
  if (!health_) return;
  std::unordered_map<std::uint32_t, std::size_t> places;  // node -> place on the board
  for (std::size_t i = 0; i < agents_.size(); ++i) {
    if (!agents_[i].lead) continue;
    places[value_of(roster_.members[i].description.node)] = agents_[i].place;
  }
  for (const bench::RankOutcome& outcome : check_outcomes_) {
    if (!outcome.report || !outcome.report->nccl) continue;
    const auto found = places.find(outcome.report->node);
    if (found != places.end()) health_->note_nccl(found->second, *outcome.report->nccl);
  }
}

bool Coordinator::is_second_look_due() const {
  return health_ && health_->has_devices();
}

void Coordinator::keep_report(int exit_code) {
  if (!options_.check_only) return;
  if (health_) {
    std::string tables = health_->tables();
    if (!tables.empty()) tables.pop_back();  // the last newline
    say(std::move(tables));
  }
  CheckRecord record;
  record.exit_code = exit_code;
  record.profile = options_.profile.name;
  record.health = health_ ? &*health_ : nullptr;
  if (!check_outcomes_.empty() && check_backend_) record.backend = to_string(*check_backend_);
  record.outcomes = check_outcomes_;
  record.verdict = check_verdict_.line;
  effects_.push_back(KeepReport{print_health_report(record)});
}

}  // namespace muster::launcher
