#include "launcher/process/signal_relay.h"

#include <algorithm>

namespace muster::process {
namespace {

bool within(const std::optional<TimePoint>& at, Duration span, TimePoint now) {
  return at.has_value() && now - *at <= span;
}

}  // namespace

std::vector<RelayEffect> SignalRelay::step(const RelayEvent& event, TimePoint now) {
  std::vector<RelayEffect> effects;
  // Before the overdue: after a stall of the loop the guardian's word may have waited in its pipe.
  if (const auto* guardian = std::get_if<GuardianSaw>(&event))
    on_guardian(guardian->signum, now, effects);
  if (std::holds_alternative<GuardianLost>(event)) guardian_alive_ = false;
  forward_overdue(now, effects);
  if (const auto* agent = std::get_if<AgentSaw>(&event)) on_agent(agent->signum, now, effects);
  return effects;
}

void SignalRelay::on_agent(int signum, TimePoint now, std::vector<RelayEffect>& effects) {
  Sighting& seen = sightings_[signum];
  if (within(seen.guardian_alone, kLateMatch, now)) {
    seen.guardian_alone.reset();
    seen.paired = now;
    return;
  }
  if (seen.agent_alone.has_value() || within(seen.paired, kMerge, now)) return;
  effects.push_back(Received{signum, action_of(signum)});
  if (guardian_alive_) {
    seen.agent_alone = now;
  } else {
    effects.push_back(ForwardToWorkers{signum});
  }
}

void SignalRelay::on_guardian(int signum, TimePoint now, std::vector<RelayEffect>& effects) {
  Sighting& seen = sightings_[signum];
  if (seen.agent_alone.has_value()) {
    seen.agent_alone.reset();
    seen.paired = now;
    return;
  }
  if (within(seen.forwarded, kLateMatch, now)) {
    seen.forwarded.reset();
    seen.paired = now;
    return;
  }
  if (within(seen.guardian_alone, kMerge, now) || within(seen.paired, kMerge, now)) return;
  seen.guardian_alone = now;
  effects.push_back(Received{signum, action_of(signum)});
}

void SignalRelay::forward_overdue(TimePoint now, std::vector<RelayEffect>& effects) {
  for (auto& [signum, seen] : sightings_) {
    if (!seen.agent_alone.has_value()) continue;
    if (guardian_alive_ && now < *seen.agent_alone + kPatience) continue;
    seen.agent_alone.reset();
    seen.forwarded = now;
    effects.push_back(ForwardToWorkers{signum});
  }
}

std::optional<TimePoint> SignalRelay::next_deadline() const {
  std::optional<TimePoint> next;
  for (const auto& [signum, seen] : sightings_) {
    if (!seen.agent_alone.has_value()) continue;
    const TimePoint due = *seen.agent_alone + kPatience;
    next = next.has_value() ? std::min(*next, due) : due;
  }
  return next;
}

}  // namespace muster::process
