#include "launcher/coordinator/coordinator.h"

#include <algorithm>
#include <csignal>

#include "launcher/verdict/report.h"
#include "rendezvous/base/check.h"
#include "rendezvous/text.h"

namespace muster::launcher {

Coordinator::Coordinator(CoordinatorOptions options) : options_(std::move(options)) {}

Effects Coordinator::step(const Event& event, TimePoint now) {
  const auto row = static_cast<std::size_t>(phase_) * kEventKindCount;
  const Transition& transition = transitions()[row + static_cast<std::size_t>(kind_of(event))];
  MUSTER_CHECK(transition.phase == phase_ && transition.event == kind_of(event));
  if (kind_of(event) == EventKind::kDeadlinePassed) deadline_.reset();
  act(transition.action, event, now);
  return std::exchange(effects_, {});
}

void Coordinator::act(Action action, const Event& event, TimePoint now) {
  const auto* said = std::get_if<AgentSaid>(&event);
  switch (action) {
    case Action::kImpossible:
      MUSTER_CHECK(!"an event that cannot happen in this phase");
      return;
    case Action::kIgnore:
      return;
    case Action::kBegin:
      return begin(std::get<Assembled>(event), now);
    case Action::kEndUnassembled:
      return end_unassembled(std::get<AssemblyFailed>(event), now);
    case Action::kNoteLook:
      return note_look(said->agent, std::get<NodeLooked>(said->message), now);
    case Action::kEndLook:
      return end_look(now);
    case Action::kStartCheckGang:
      return start_check_gang(std::get<CheckGroupsOpened>(event), now);
    case Action::kEndCheckUnopened:
      if (std::get<CheckGroupsFailed>(event).gang != gang_) return;
      return end_unopened(std::get<CheckGroupsFailed>(event).text, now);
    case Action::kNoteCheckProcess:
      return note_check_process(std::get<WorkerEnded>(said->message), now);
    case Action::kNoteReports:
      return note_reports(said->agent, std::get<GangFinished>(said->message), now);
    case Action::kPassCheckDeadline:
      return pass_check_deadline(now);
    case Action::kStartWorkers:
      return note_store_opened(said->agent, std::get<StoreOpened>(said->message), now);
    case Action::kEndStoreless:
      return end_storeless(said->agent, std::get<StoreFailed>(said->message), now);
    case Action::kEndStoreLate:
      return end_without_store_in_time(now);
    case Action::kLoseStore:
      return lose_store(said->agent, std::get<StoreFailed>(said->message), now);
    case Action::kCarryQuestion:
      return carry_question(said->agent, std::get<AskOwners>(said->message));
    case Action::kCarryAnswer:
      return carry_answer(std::get<OwnersFound>(said->message));
    case Action::kNoteStarted:
      return note_started(said->agent, std::get<WorkersStarted>(said->message));
    case Action::kEndStartLate:
      return end_without_start(now);
    case Action::kNoteWorker:
    case Action::kNoteWorkerStopped:
      return note_worker(said->agent, std::get<WorkerEnded>(said->message), now);
    case Action::kNoteFinished:
      return note_finished(said->agent, std::get<GangFinished>(said->message), now);
    case Action::kCancel:
      return cancel(said->agent, std::get<CancelSeen>(said->message), now);
    case Action::kLoseAgent:
      return lose_agent(std::get<AgentLost>(event), now);
    case Action::kDecide:
      return pass_stop_deadline(now);
    case Action::kNoteAcknowledged:
      agent(said->agent).acknowledged = true;
      return finish_if_acknowledged();
    case Action::kFinish:
      return pass_closing_deadline(now);
  }
}

void Coordinator::begin(const Assembled& event, TimePoint now) {
  roster_ = event.roster;
  began_ = now;
  agents_.resize(roster_.members.size());
  std::vector<AgentFacts> facts;
  if (const auto misfit = find_misfit(roster_, options_.told_error, facts)) {
    return close(misfit->exit_code, misfit->text, now);
  }
  seat_agents(std::move(facts));
  Result<plan::JobPlan> job = plan_roster(roster_, options_.slots);
  if (!job) return close(to_int(ExitCode::kUsage), job.error().message(), now);
  job_ = std::move(*job);
  learn_addresses();
  for (const plan::NodePlan& node : job_.nodes) {
    hosts_.push_back(node.host);
    node_ids_.push_back(node.node);
    gpus_.push_back(node.gpus);
  }
  if (hosts_.size() < wanted_nodes()) {
    return close(to_int(ExitCode::kMissingNodes),
                 "the job needs " + std::to_string(wanted_nodes()) + " nodes (--nodes), " +
                     std::to_string(hosts_.size()) + " are here",
                 now);
  }
  // The world may become smaller than all nodes; see set_world.
  if (const std::optional<Misfit> misfit = find_stdin_misfit()) {
    return close(misfit->exit_code, misfit->text, now);
  }
  count_slots();
  say_profile();
  begin_check(now);
}

// Who did not come to a job that cannot run anyway is of no interest.
void Coordinator::end_unassembled(const AssemblyFailed& event, TimePoint now) {
  const bool is_refused = !options_.told_error.empty();
  if (!is_refused) say("muster: " + event.text);
  const int exit_code = is_refused ? to_int(ExitCode::kUsage) : event.exit_code;
  phase_ = Phase::kDone;
  began_ = now;
  keep_report(exit_code, now);
  effects_.push_back(Finish{exit_code});
}

// Where each of them sits, by what it told of itself.
void Coordinator::seat_agents(std::vector<AgentFacts> facts) {
  std::size_t place = 0;
  for (const rendezvous::Member& member : roster_.members) {
    Agent& joined = agent(member.index);
    joined.lead = value_of(member.description.task) == 0;
    if (joined.lead && value_of(member.index) > 0) ++place;
    joined.place = place;
    joined.facts = std::move(facts[value_of(member.index)]);
  }
}

void Coordinator::note_worker(MemberIndex from, WorkerEnded message, TimePoint now) {
  if (message.gang != gang_ || !log_.workers_started || !agent(from).in_world) return;
  // An agent that could not plan its workers does not know their ranks.
  const std::uint32_t rank = value_of(message.end.place.rank);
  if (rank >= job_.workers.size() || job_.workers[rank].agent != from) {
    const auto own = job_.workers_of(from);
    if (own.empty()) return;
    message.end.place = {own.front().rank, own.front().local_rank, own.front().node, host_of(from)};
  }
  log_.note_end(message.end);
  const bool failed = message.end.start_failure || !message.end.status.success();
  if (failed && phase_ == Phase::kRunning) stop(now);
}

void Coordinator::note_finished(MemberIndex index, const GangFinished& message, TimePoint now) {
  agent(index).mute = false;
  if (message.gang != gang_) return;
  agent(index).finished = true;
  if (message.stuck > 0) {
    log_.fallen.emplace(static_cast<std::uint32_t>(place_of(index)),
                        LeftOut{kFaultAgent, "its workers outlived SIGKILL"});
  }
  log_.note_killed(place_of(index), message.killed);
  if (gang_is_gone()) return decide(now);
  if (phase_ == Phase::kRunning) watch_start();
}

void Coordinator::cancel(MemberIndex index, const CancelSeen& message, TimePoint now) {
  if (!log_.is_cancelled()) {
    verdict::Cancel seen;
    seen.signal_number = static_cast<int>(message.signal);
    seen.when = WallTime(std::chrono::nanoseconds(message.wall_clock_ns));
    seen.host = host_of(index);
    log_.note_cancel(seen);
    say(cancel_notice(seen, log_.workers_started ? job_.world_size : 0,
                      log_.workers_started ? options_.stop_grace : kCheckStopGrace));
  }
  if (phase_ != Phase::kStopping) return stop(now);
  if (deadline_ == tidy_end_) pass_stop_deadline(now);  // whose end Slurm's SIGKILL awaits
}

void Coordinator::lose_agent(const AgentLost& event, TimePoint now) {
  Agent& gone = agent(event.agent);
  if (gone.lost) return;
  gone.lost = true;
  if (phase_ == Phase::kClosing) {
    if (!gone.acknowledged) lost_at_end_.push_back(host_of(event.agent));
    return finish_if_acknowledged();
  }
  if (lose_unneeded(event, now)) return;
  const rendezvous::Member& member = roster_.members[value_of(event.agent)];
  verdict::PeerLoss loss;
  loss.node = member.description.node;
  loss.host = member.description.host;
  loss.whole_node = event.whole_node;
  loss.last_heard = event.last_heard;
  loss.decided = event.decided;
  loss.workers = log_.workers_started ? gone.slots : 0;
  loss.detail = event.detail;
  log_.note_loss(loss);
  log_.fallen.emplace(static_cast<std::uint32_t>(gone.place), LeftOut{kFaultLost, event.detail});
  if (phase_ != Phase::kStopping) return stop(now);
  if (gang_is_gone()) decide(now);
}

// Ends the current gang everywhere. Its agents answer with GangFinished; the deadline is for those
// that cannot.
void Coordinator::stop(TimePoint now) {
  if (phase_ == Phase::kChecking) effects_.push_back(CloseCheckGroups{});
  check_.round.reset();
  phase_ = Phase::kStopping;
  const Duration grace = log_.workers_started ? options_.stop_grace : kCheckStopGrace;
  effects_.push_back(SendToAll{StopGang{gang_, SIGTERM, grace, log_.is_cancelled()}});
  deadline_ = now + grace + kKillPatience;
  tidy_end_ = now + grace + kTidyPatience;
  if (gang_is_gone()) decide(now);
}

void Coordinator::decide(TimePoint now) {
  if (const auto killed = log_.killed_text(hosts_)) say("muster: " + *killed);
  if (log_.is_cause_told) return end_attempt({to_int(ExitCode::kLost)}, now);
  const std::optional<verdict::FirstCause> cause = decide_first_cause(log_.evidence());
  if (!cause) return close(to_int(ExitCode::kSuccess), "", now);
  std::string text = final_report(*cause);
  if (!text.empty() && text.back() == '\n') text.pop_back();
  say(std::move(text));
  const bool is_repeatable = cause->kind == verdict::CauseKind::kWorker ||
                             cause->kind == verdict::CauseKind::kAgentLost ||
                             cause->kind == verdict::CauseKind::kNodeLost;
  end_attempt({cause->exit_code, is_repeatable, verdict::suspect_of(*cause)}, now);
}

void Coordinator::close(int exit_code, const std::string& text, TimePoint now) {
  keep_report(exit_code, now);
  if (!text.empty()) say("muster: " + text);
  exit_code_ = exit_code;
  phase_ = Phase::kClosing;
  deadline_ = now + kClosingPatience;
  effects_.push_back(SendToAll{CloseJob{static_cast<std::uint32_t>(exit_code)}});
  finish_if_acknowledged();
}

void Coordinator::finish_if_acknowledged() {
  for (const Agent& member : agents_) {
    if (!member.lost && !member.acknowledged) return;
  }
  finish();
}

void Coordinator::finish() {
  if (!lost_at_end_.empty()) {
    say_of_agents(std::exchange(lost_at_end_, {}), "its agent was lost before it heard of the end",
                  "their agents were lost before they heard of the end", std::nullopt);
  }
  phase_ = Phase::kDone;
  deadline_.reset();
  effects_.push_back(Finish{exit_code_});
}

// Those that are left out at last end by themselves when they find the coordinator gone, unless
// they stand still. One that stood still before is not waited for again, and after a cancel nobody
// is, since Slurm's SIGKILL comes.
void Coordinator::pass_closing_deadline(TimePoint now) {
  bool is_hopeless = true;
  std::vector<std::string> hosts;
  for (std::size_t i = 0; i < agents_.size(); ++i) {
    if (agents_[i].lost || agents_[i].acknowledged) continue;
    is_hopeless = is_hopeless && agents_[i].mute;
    hosts.push_back(host_of(MemberIndex{static_cast<std::uint32_t>(i)}));
  }
  say_of_agents(std::move(hosts), "its agent did not acknowledge the end",
                "their agents did not acknowledge the end",
                are_late_told_ ? kClosingLimit : kClosingPatience);
  if (is_hopeless || are_late_told_ || log_.is_cancelled()) return finish();
  are_late_told_ = true;
  deadline_ = now + kClosingLimit - kClosingPatience;
}

// `hosts`: one an agent, in the order of agents. `patience`: that was waited in vain.
void Coordinator::say_of_agents(std::vector<std::string> hosts, std::string_view one,
                                std::string_view several, std::optional<Duration> patience) {
  const bool is_one = hosts.size() == 1;
  hosts.erase(std::unique(hosts.begin(), hosts.end()), hosts.end());
  say("muster: " + rendezvous::fold_hosts(hosts) + ": " + std::string(is_one ? one : several) +
      (patience ? " within " + rendezvous::seconds_text(*patience) : ""));
}

bool Coordinator::gang_is_gone() const {
  for (const Agent& member : agents_) {
    if (member.in_gang && !member.finished && !member.lost) return false;
  }
  return true;
}

void Coordinator::say(std::string text) {
  effects_.push_back(Say{std::move(text)});
}

std::string Coordinator::host_of(MemberIndex index) const {
  return roster_.members[value_of(index)].description.host;
}

Coordinator::Agent& Coordinator::agent(MemberIndex index) {
  MUSTER_CHECK(value_of(index) < agents_.size());
  return agents_[value_of(index)];
}

}  // namespace muster::launcher
