#include "rendezvous/assembly.h"

#include <map>

#include "rendezvous/base/check.h"

namespace muster::rendezvous {

namespace {

std::uint64_t place_of(NodeIndex node, LocalTask task) {
  return (std::uint64_t{value_of(node)} << 32) | value_of(task);
}

}  // namespace

Assembly::Assembly(std::vector<ExpectedMember> expected, NodeIndex node, Generation last)
    : expected_(std::move(expected)), node_(node), generation_(last), seats_(expected_.size()) {
  for (std::size_t i = 0; i < expected_.size(); ++i) {
    const MemberIndex member{static_cast<std::uint32_t>(i)};
    places_.emplace(place_of(expected_[i].node, expected_[i].task), member);
  }
}

std::optional<MemberIndex> Assembly::find(NodeIndex node, LocalTask task) const {
  const auto place = places_.find(place_of(node, task));
  if (place == places_.end()) return std::nullopt;
  return place->second;
}

void Assembly::take(MemberIndex member, Seat seat) {
  Seat& place = seats_[value_of(member)];
  MUSTER_CHECK(!place.taken);
  place = std::move(seat);
  place.taken = true;
  place.acknowledged = false;
  ++taken_;
}

void Assembly::vacate(MemberIndex member) {
  Seat& place = seats_[value_of(member)];
  MUSTER_CHECK(place.taken);
  --taken_;
  if (place.acknowledged) --acknowledged_;
  place = Seat();
}

Generation Assembly::prepare() {
  generation_ = Generation{value_of(generation_) + 1};
  acknowledged_ = 0;
  for (Seat& place : seats_) place.acknowledged = false;
  return generation_;
}

void Assembly::acknowledge(MemberIndex member, Generation generation) {
  Seat& place = seats_[value_of(member)];
  if (generation != generation_ || !place.taken || place.acknowledged) return;
  place.acknowledged = true;
  ++acknowledged_;
}

Roster Assembly::roster() const {
  Roster roster;
  roster.generation = generation_;
  roster.coordinator_address = coordinator_address();
  roster.members.reserve(seats_.size());
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    const MemberIndex index{static_cast<std::uint32_t>(i)};
    roster.members.push_back({index, seats_[i].description, seats_[i].address});
  }
  return roster;
}

std::vector<ExpectedMember> Assembly::missing() const {
  std::vector<ExpectedMember> missing;
  const bool joined = all_joined();
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    if (joined ? !seats_[i].acknowledged : !seats_[i].taken) missing.push_back(expected_[i]);
  }
  return missing;
}

// The address by which most members of other nodes came; of several, the smallest text.
std::string Assembly::coordinator_address() const {
  std::map<std::string, std::size_t> votes;
  for (const Seat& place : seats_) {
    if (place.description.node != node_ && !place.server_address.empty())
      ++votes[place.server_address];
  }
  std::string best = "127.0.0.1";
  std::size_t most = 0;
  for (const auto& [address, count] : votes) {
    if (count > most) {
      most = count;
      best = address;
    }
  }
  return best;
}

}  // namespace muster::rendezvous
