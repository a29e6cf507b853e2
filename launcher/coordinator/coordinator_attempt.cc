// The attempt's part of the coordinator: start the workers, and start them anew after a failure.
#include <algorithm>

#include "launcher/coordinator/coordinator.h"

namespace muster::launcher {

void Coordinator::start_workers(TimePoint now) {
  gang_ = GangId{value_of(gang_) + 1};
  deadline_ = now + kStartPatience;
  for (Agent& member : agents_) {
    member.in_gang = member.in_world;
    member.started = false;
    member.finished = false;
  }
  if (options_.exec_program) {
    phase_ = Phase::kClosing;
    deadline_ = now + kClosingPatience;
    send_to_world(
        BecomeProgram{options_.master_port, master_address(), options_.job_environment, left_out_});
    for (std::size_t i = 0; i < agents_.size(); ++i) {
      if (agents_[i].in_world) continue;
      effects_.push_back(SendTo{MemberIndex{static_cast<std::uint32_t>(i)}, CloseJob{0}});
    }
    return;
  }
  phase_ = Phase::kRunning;
  log_.workers_started = true;
  if (value_of(attempt_) > 0) {
    say("muster: " + restart_text() + ": all " + std::to_string(job_.world_size) +
        " workers start anew");
  }
  const bool agent_store = options_.store == StoreMode::kAgent;
  send_to_world(StartWorkers{gang_, attempt_, agent_store ? master_port_ : options_.master_port,
                             agent_store, master_address(), options_.job_environment, left_out_});
}

void Coordinator::send_to_world(const ToAgent& message) {
  if (left_out_.empty()) {
    effects_.push_back(SendToAll{message});
    return;
  }
  for (std::size_t i = 0; i < agents_.size(); ++i) {
    if (!agents_[i].in_world) continue;
    effects_.push_back(SendTo{MemberIndex{static_cast<std::uint32_t>(i)}, message});
  }
}

void Coordinator::note_started(MemberIndex index, const WorkersStarted& message) {
  if (message.gang != gang_) return;
  agent(index).started = true;
  watch_start();
}

void Coordinator::watch_start() {
  const auto is_due = [](const Agent& member) {
    return member.in_gang && !member.started && !member.finished;
  };
  if (std::none_of(agents_.begin(), agents_.end(), is_due)) deadline_.reset();
}

// An agent that stands still is silent and never lost, since its kernel answers.
void Coordinator::end_without_start(TimePoint now) {
  std::vector<std::string> hosts;
  for (std::size_t i = 0; i < agents_.size(); ++i) {
    Agent& member = agents_[i];
    if (!member.in_gang || member.started || member.finished) continue;
    member.finished = member.mute = true;  // nor is its end waited for
    log_.fallen.emplace(static_cast<std::uint32_t>(member.place),
                        LeftOut{kFaultAgent, "its agent did not start its workers"});
    hosts.push_back(host_of(MemberIndex{static_cast<std::uint32_t>(i)}));
  }
  say_of_agents(std::move(hosts), "its agent did not start its workers",
                "their agents did not start their workers", kStartPatience);
  log_.is_cause_told = true;
  stop(now);
}

// An agent tells what outlived SIGKILL, and goes on without it; one that tells nothing stands
// still.
void Coordinator::pass_stop_deadline(TimePoint now) {
  const bool is_over = now >= *tidy_end_;
  const bool is_last = is_over || log_.is_cancelled();  // whose end Slurm's SIGKILL awaits
  std::vector<std::string> hosts;
  for (std::size_t i = 0; i < agents_.size(); ++i) {
    Agent& member = agents_[i];
    const MemberIndex index{static_cast<std::uint32_t>(i)};
    if (!member.in_gang || member.finished || member.lost) continue;
    if (!is_last && are_workers_ended(index)) continue;
    member.finished = member.mute = true;
    log_.fallen.emplace(static_cast<std::uint32_t>(member.place),
                        LeftOut{kFaultAgent, "its agent did not tell the end of its workers"});
    hosts.push_back(host_of(index));
  }
  if (!hosts.empty()) {
    const std::string what = log_.workers_started ? "workers" : "part of the check";
    say_of_agents(std::move(hosts), "its agent did not tell the end of its " + what,
                  "their agents did not tell the end of their " + what,
                  (log_.workers_started ? options_.stop_grace : kCheckStopGrace) +
                      (is_over ? kTidyPatience : kKillPatience));
  }
  if (gang_is_gone()) return decide(now);
  deadline_ = tidy_end_;
}

bool Coordinator::are_workers_ended(MemberIndex index) const {
  if (!log_.workers_started) return false;
  const auto own = job_.workers_of(index);
  return std::all_of(own.begin(), own.end(),
                     [this](const auto& worker) { return log_.has_ended(worker.rank); });
}

// The cause is told.
void Coordinator::end_attempt(const Ending& ending, TimePoint now) {
  const bool has_begun = log_.workers_started || value_of(attempt_) > 0;
  if (options_.max_restarts == 0 || !has_begun || log_.is_cancelled()) {
    return close(ending.exit_code, "", now);
  }
  if (const std::optional<std::string> why = why_not_again(ending.is_repeatable)) {
    return close(ending.exit_code, "not restarted: " + *why, now);
  }
  restart(ending.suspect, now);
}

// Leaves out the nodes that the attempt lost.
std::optional<std::string> Coordinator::why_not_again(bool is_repeatable) {
  if (!is_repeatable) return "a program that cannot be started will not start the next time either";
  if (value_of(attempt_) >= options_.max_restarts) {
    return "all " + std::to_string(options_.max_restarts) + " restarts are used (--max-restarts)";
  }
  for (const auto& [place, why] : log_.fallen) {
    if (do_without(place, why)) {
      if (log_.is_cause_told) say("muster: " + hosts_[place] + " is left out: " + text_of(why));
      continue;
    }
    return hosts_[place] + " (" + text_of(why) + ") is needed, and no spare is left (--spares)";
  }
  return std::nullopt;
}

void Coordinator::restart(verdict::Suspect suspect, TimePoint now) {
  if (options_.store == StoreMode::kAgent && !agent(store_agent()).lost) {
    effects_.push_back(SendTo{store_agent(), CloseStore{attempt_}});
  }
  attempt_ = Attempt{value_of(attempt_) + 1};
  log_ = {};
  if (suspect == verdict::Suspect::kNothing || !check_backend_) return prepare_workers(now);
  say("muster: check: again before " + restart_text() + ", since the failure points to " +
      std::string(to_string(suspect)));
  check_again(now);
}

std::string Coordinator::restart_text() const {
  return "restart " + std::to_string(value_of(attempt_)) + " of " +
         std::to_string(options_.max_restarts);
}

// For the line about a check that ends the job.
std::string_view Coordinator::nothing_started() const {
  return value_of(attempt_) == 0 ? "nothing was started" : "not restarted";
}

}  // namespace muster::launcher
