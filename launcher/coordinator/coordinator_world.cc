// The world's part of the coordinator: which nodes are fit, which run, which are spares.
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "launcher/coordinator/coordinator.h"
#include "launcher/history/complaints.h"
#include "rendezvous/text.h"

namespace muster::launcher {

namespace {

// `places` ascending.
bool holds(const std::vector<std::uint32_t>& places, std::uint32_t place) {
  return std::binary_search(places.begin(), places.end(), place);
}

}  // namespace

std::uint32_t Coordinator::wanted_nodes() const {
  return options_.world_nodes.value_or(static_cast<std::uint32_t>(hosts_.size()));
}

std::vector<std::uint32_t> Coordinator::fit_places() const {
  std::vector<std::uint32_t> places;
  for (std::uint32_t place = 0; place < hosts_.size(); ++place) {
    if (!out_.contains(place)) places.push_back(place);
  }
  return places;
}

std::size_t Coordinator::place_of(MemberIndex index) const {
  return agents_[value_of(index)].place;
}

// The node stays out from now on. False when the job needs it.
bool Coordinator::do_without(std::uint32_t place, const LeftOut& why) {
  if (out_.contains(place)) return true;
  if (check_.choice) return replace_chosen(place) && out_.emplace(place, why).second;
  if (fit_places().size() <= wanted_nodes()) return false;
  if (check_.selection && !check_.selection->can_lose(place)) return false;
  out_.emplace(place, why);
  if (check_.selection) check_.selection->lose(place, text_of(why));
  return true;
}

// After the choice: a spare takes the place.
bool Coordinator::replace_chosen(std::uint32_t place) {
  std::vector<std::uint32_t>& spares = check_.choice->spares;
  if (!holds(check_.choice->chosen, place)) {
    std::erase(spares, place);
    return true;
  }
  if (spares.empty()) return false;
  std::erase(check_.choice->chosen, place);
  check_.choice->chosen.push_back(spares.front());
  std::sort(check_.choice->chosen.begin(), check_.choice->chosen.end());
  spares.erase(spares.begin());
  return true;
}

// True when the job goes on without the agent's node.
bool Coordinator::lose_unneeded(const AgentLost& event, TimePoint now) {
  const auto place = static_cast<std::uint32_t>(place_of(event.agent));
  const bool workers_are_due = phase_ == Phase::kRunning || phase_ == Phase::kStopping;
  const bool was_out = out_.contains(place);
  if (workers_are_due && agent(event.agent).in_world) return false;
  const LeftOut why{kFaultLost, event.detail};
  if (!do_without(place, why) && !workers_are_due) return false;
  if (!was_out) {
    out_.emplace(place, why);
    say("muster: " + host_of(event.agent) + " is lost (" + event.detail +
        "); the job goes on without it");
  }
  if (phase_ == Phase::kChecking && check_.round) {
    check_.round->lose(event.agent, now);
    watch_round(now);
  }
  if (phase_ == Phase::kOpeningStore && agent(event.agent).in_world) change_world(now);
  if (phase_ == Phase::kLooking || phase_ == Phase::kLookingAgain) {
    health_->forget(place);
    if (health_->is_complete()) judge_health(now);
  }
  return true;
}

history::NodeIdentity Coordinator::identity_of(std::size_t place) const {
  history::NodeIdentity identity{hosts_[place], "", gpus_[place]};
  if (!health_) return identity;
  identity.instance_id = health_->nodes()[place].instance_id;
  return identity;
}

// By the node memory: they are suspected first, and measured with care.
std::vector<std::uint32_t> Coordinator::places_seen_bad() const {
  std::vector<std::uint32_t> places;
  for (std::uint32_t place = 0; place < hosts_.size(); ++place) {
    if (history::seen_bad(options_.node_memory, identity_of(place), options_.started)) {
      places.push_back(place);
    }
  }
  return places;
}

// One record a node: by the choice, else by why the node is out.
std::vector<history::UnfitRecord> Coordinator::unfit_records() const {
  std::map<std::uint32_t, history::UnfitRecord> records;
  const auto record_of = [&](std::uint32_t place) -> history::UnfitRecord& {
    const history::NodeIdentity identity = identity_of(place);
    history::UnfitRecord& record = records[place];
    record.host = identity.host;
    record.instance_id = identity.instance_id;
    record.gpus = identity.gpus;
    return record;
  };
  for (const auto& [place, why] : out_) {
    history::UnfitRecord& record = record_of(place);
    record.fault = why.fault;
    record.ratio = why.ratio;
    record.evidence = why.evidence;
  }
  if (check_.choice) {
    for (const Unfit& one : check_.choice->unfit) {
      history::UnfitRecord& record = record_of(one.place);
      if (record.fault == kFaultLost) continue;
      record.fault = to_string(one.fault);
      record.ratio = one.ratio;
      record.evidence = one.evidence;
    }
  }
  std::vector<history::UnfitRecord> all;
  for (auto& [place, record] : records) all.push_back(std::move(record));
  return all;
}

// The commands are never run by muster itself, but with --drain, when the job is over.
void Coordinator::say_commands() {
  std::vector<history::UnfitRecord> unfit = unfit_records();
  if (std::exchange(told_unfit_, unfit) == unfit) return;
  commands_.clear();
  if (unfit.empty()) return effects_.push_back(KeepUnfit{});  // the check before it was wrong
  std::vector<std::string> hosts;
  for (const history::UnfitRecord& one : unfit) hosts.push_back(one.host);
  for (const slurm::NodeCommand& command :
       slurm::node_commands(history::complaints_of(unfit), options_.cluster)) {
    commands_.push_back(command.text);
  }
  commands_.push_back(slurm::resubmit_text(hosts));
  say("muster: check: to take the unfit out of service, and to submit without them:");
  for (const std::string& command : commands_) say("muster: check:   " + command);
  effects_.push_back(KeepUnfit{std::move(unfit)});
}

void Coordinator::count_slots() {
  for (Agent& member : agents_) member.slots = 0;
  for (const plan::WorkerPlan& worker : job_.workers) ++agent(worker.agent).slots;
}

// Of the world that is planned.
std::optional<Misfit> Coordinator::find_stdin_misfit() const {
  if (!options_.stdin_rank || value_of(*options_.stdin_rank) < job_.world_size) return std::nullopt;
  return Misfit{to_int(ExitCode::kUsage),
                "--stdin=" + std::to_string(value_of(*options_.stdin_rank)) + ": the world has " +
                    std::to_string(job_.world_size) + " workers; expected a rank of 0 to " +
                    std::to_string(job_.world_size - 1)};
}

// Which nodes the workers run on. The choice is the check's; without one the first fit nodes run.
std::optional<Misfit> Coordinator::set_world() {
  std::vector<std::uint32_t> chosen;
  if (check_.choice) {
    chosen = check_.choice->chosen;
  } else {
    chosen = fit_places();
    chosen.resize(std::min<std::size_t>(chosen.size(), wanted_nodes()));
  }
  if (chosen.size() == hosts_.size()) return find_stdin_misfit();
  std::vector<std::string> in;
  std::vector<std::string> spares;
  std::vector<std::string> out;
  left_out_.clear();
  for (std::uint32_t place = 0; place < hosts_.size(); ++place) {
    const bool runs = holds(chosen, place);
    (runs ? in : out_.contains(place) ? out : spares).push_back(hosts_[place]);
    if (!runs) left_out_.push_back(node_ids_[place]);
  }
  Result<plan::JobPlan> world = plan_roster(roster_, options_.slots, left_out_);
  if (!world) return Misfit{to_int(ExitCode::kUsage), world.error().message()};
  job_ = std::move(*world);
  for (std::size_t i = 0; i < agents_.size(); ++i) {
    agents_[i].in_world = holds(chosen, static_cast<std::uint32_t>(agents_[i].place));
  }
  count_slots();
  std::string line = "muster: world: " + rendezvous::fold_hosts(in);
  if (!spares.empty()) line += "; spare: " + rendezvous::fold_hosts(spares);
  if (!out.empty()) line += "; out: " + rendezvous::fold_hosts(out);
  if (line != world_line_) say(line);
  world_line_ = std::move(line);
  return find_stdin_misfit();
}

}  // namespace muster::launcher
