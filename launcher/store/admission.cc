#include "launcher/store/admission.h"

#include <algorithm>
#include <utility>

namespace muster::launcher {

using admission::Admit;
using admission::Ask;
using admission::Came;
using admission::DeadlinePassed;
using admission::LookUpHere;
using admission::OwnersKnown;
using admission::Refuse;

admission::Effects Admission::step(const admission::Event& event, TimePoint now) {
  if (const auto* came = std::get_if<Came>(&event)) {
    greet(came->connection, now);
  } else if (const auto* known = std::get_if<OwnersKnown>(&event)) {
    for (const Ownership& owner : known->owners) judge(owner);
  } else if (std::holds_alternative<DeadlinePassed>(event)) {
    if (ask_at_ && *ask_at_ <= now) ask();
    give_up_on_late_ones(now);
  }
  return std::exchange(effects_, {});
}

std::optional<TimePoint> Admission::next_deadline() const {
  std::optional<TimePoint> next = ask_at_;
  if (!by_deadline_.empty()) {
    const TimePoint until = by_deadline_.front().until;
    next = next ? std::min(*next, until) : until;
  }
  return next;
}

void Admission::greet(const StoreConnection& connection, TimePoint now) {
  const bool is_here = is_of_this_node(connection);
  if (options_.mode == AdmissionMode::kOpen || (options_.mode == AdmissionMode::kNode && is_here)) {
    effects_.push_back(Admit{connection.id});
    return;
  }
  if (waiting_.size() >= kMaxWaiting) {
    return refuse(connection.id, std::to_string(kMaxWaiting) + " others wait to be admitted");
  }
  if (!waiting_.insert(connection.id).second) return;
  by_deadline_.push_back({connection.id, now + options_.patience});
  if (is_here) {
    effects_.push_back(LookUpHere{connection});
    return;
  }
  gathered_.push_back(connection);
  if (!ask_at_) ask_at_ = now + kGatherFor;
  if (gathered_.size() >= kMaxStoreConnections) ask();
}

void Admission::judge(const Ownership& owner) {
  if (waiting_.erase(owner.id) == 0) return;
  while (!by_deadline_.empty() && !waiting_.contains(by_deadline_.front().id)) {
    by_deadline_.pop_front();
  }
  switch (owner.finding) {
    case Finding::kOwner:
      if (owner.uid == options_.uid) {
        effects_.push_back(Admit{owner.id});
        return;
      }
      return refuse(owner.id, "uid " + std::to_string(owner.uid) +
                                  " owns it; the store serves uid " + std::to_string(options_.uid) +
                                  ", the job's user");
    case Finding::kNodeOfJob:
      if (options_.mode != AdmissionMode::kUid) {
        effects_.push_back(Admit{owner.id});
        return;
      }
      break;
    case Finding::kNoSuchConnection:
      return refuse(owner.id,
                    "no process of its node owns it: it has gone, or comes out of another network "
                    "namespace (--store-admission=node asks for no owner)");
    case Finding::kUnknownNode:
      return refuse(owner.id,
                    "no node of this job has its address (--store-admission=open serves anyone)");
    case Finding::kNotTold:
      break;
  }
  refuse(owner.id, "its node cannot say who owns it (--store-admission=node asks for no owner)");
}

void Admission::give_up_on_late_ones(TimePoint now) {
  while (!by_deadline_.empty() && by_deadline_.front().until <= now) {
    const std::uint64_t id = by_deadline_.front().id;
    by_deadline_.pop_front();
    if (waiting_.erase(id) > 0) refuse(id, "its node did not say in time who owns it");
  }
}

void Admission::ask() {
  ask_at_.reset();
  if (!gathered_.empty()) effects_.push_back(Ask{std::exchange(gathered_, {})});
}

void Admission::refuse(std::uint64_t id, std::string why) {
  effects_.push_back(Refuse{id, std::move(why)});
}

// A connection to oneself has one address at both ends, whether the interface is known or not.
bool Admission::is_of_this_node(const StoreConnection& connection) const {
  const std::string& address = connection.client.address;
  return address == connection.server.address || address.rfind("127.", 0) == 0 ||
         address == "::1" || options_.own_addresses.contains(address);
}

}  // namespace muster::launcher
