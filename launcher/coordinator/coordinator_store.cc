// The store's part of the coordinator: have it opened before the workers start, and carry the
// questions of its agent to the nodes its clients come from.
#include <map>

#include "launcher/coordinator/coordinator.h"

namespace muster::launcher {

namespace {

// It binds a port: only an agent that is stuck takes longer.
constexpr Duration kStorePatience = std::chrono::seconds(10);

}  // namespace

// What stands between the check and the workers.
void Coordinator::prepare_workers(TimePoint now) {
  if (const std::optional<Misfit> misfit = set_world()) {
    return close(misfit->exit_code, misfit->text, now);
  }
  if (options_.store == StoreMode::kRank0 || options_.exec_program) return start_workers(now);
  gang_ = GangId{value_of(gang_) + 1};
  for (Agent& member : agents_) member.in_gang = false;
  phase_ = Phase::kOpeningStore;
  deadline_ = now + kStorePatience;
  effects_.push_back(
      SendTo{store_agent(), OpenStore{attempt_, options_.master_port, options_.admission}});
}

// A spare stands in for a node that was lost while the store opens: rank 0 may have moved.
void Coordinator::change_world(TimePoint now) {
  const MemberIndex before = store_agent();
  if (const std::optional<Misfit> misfit = set_world()) {
    return close(misfit->exit_code, misfit->text, now);
  }
  if (store_agent() == before) return;
  deadline_ = now + kStorePatience;
  effects_.push_back(
      SendTo{store_agent(), OpenStore{attempt_, options_.master_port, options_.admission}});
}

void Coordinator::note_store_opened(MemberIndex from, const StoreOpened& message, TimePoint now) {
  if (from != store_agent() || message.attempt != attempt_) return;
  master_port_ = message.port;
  start_workers(now);
}

void Coordinator::end_storeless(MemberIndex from, const StoreFailed& message, TimePoint now) {
  if (from != store_agent() || message.attempt != attempt_) return;
  if (options_.master_port != 0) {
    return close(to_int(ExitCode::kUsage), host_of(from) + ": " + message.text, now);
  }
  replace_store_agent(message.text, now);
}

void Coordinator::end_without_store_in_time(TimePoint now) {
  agent(store_agent()).mute = true;
  replace_store_agent("its agent did not open the workers' store within 10 s", now);
}

// By the next node that holds rank 0, when a spare can take this one's place.
void Coordinator::replace_store_agent(const std::string& why, TimePoint now) {
  const MemberIndex before = store_agent();
  const std::string text = host_of(before) + ": " + why;
  if (!do_without(static_cast<std::uint32_t>(place_of(before)), LeftOut{kFaultAgent, why})) {
    return close(to_int(ExitCode::kInternal), text, now);
  }
  say("muster: " + text + "; the job goes on without it");
  effects_.push_back(SendTo{before, CloseStore{attempt_}});  // it may open it yet
  change_world(now);
}

// The workers can do nothing more together; their agent has told why.
void Coordinator::lose_store(MemberIndex from, const StoreFailed& message, TimePoint now) {
  if (from != store_agent() || message.attempt != attempt_) return;
  say("muster: " + host_of(from) + ": " + message.text + "; stopping the workers");
  log_.is_cause_told = true;
  stop(now);
}

void Coordinator::carry_question(MemberIndex from, const AskOwners& message) {
  if (from != store_agent() || message.attempt != attempt_) return;
  std::map<MemberIndex, FindOwners> questions;
  OwnersTold told{attempt_, {}};
  for (const StoreConnection& connection : message.connections) {
    const std::string& address = connection.client.address;
    const std::optional<MemberIndex> lead = nodes_.lead_agent_at(address);
    if (!nodes_.knows(address)) {
      told.owners.push_back({connection.id, Finding::kUnknownNode, 0});
    } else if (options_.admission != AdmissionMode::kUid) {
      told.owners.push_back({connection.id, Finding::kNodeOfJob, 0});
    } else if (!lead || agent(*lead).lost) {
      told.owners.push_back({connection.id, Finding::kNotTold, 0});
    } else {
      FindOwners& question = questions[*lead];
      question.attempt = attempt_;
      question.connections.push_back(connection);
    }
  }
  if (!told.owners.empty()) effects_.push_back(SendTo{from, std::move(told)});
  for (auto& [lead, question] : questions) effects_.push_back(SendTo{lead, std::move(question)});
}

void Coordinator::carry_answer(const OwnersFound& message) {
  if (message.attempt != attempt_) return;
  effects_.push_back(SendTo{store_agent(), OwnersTold{attempt_, message.owners}});
}

void Coordinator::learn_addresses() {
  MemberIndex lead{};
  for (const rendezvous::Member& member : roster_.members) {
    if (agent(member.index).lead) lead = member.index;
    nodes_.add(member.address, lead);
    for (const std::string& address : agent(member.index).facts.addresses) {
      nodes_.add(address, lead);
    }
  }
}

MemberIndex Coordinator::store_agent() const {
  return job_.workers.empty() ? MemberIndex{0} : job_.workers.front().agent;
}

// "" when rank 0 is on the coordinator's own node: every agent knows the way by which it came.
std::string Coordinator::master_address() const {
  const rendezvous::Member& master = roster_.members[value_of(store_agent())];
  for (const rendezvous::Member& member : roster_.members) {
    const bool is_here = member.address.empty();  // in the coordinator's own process
    if (is_here && member.description.node == master.description.node) return "";
  }
  return master.address;
}

}  // namespace muster::launcher
