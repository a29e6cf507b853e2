#include "rendezvous/assembly.h"

#include <map>

#include "rendezvous/base/check.h"

namespace muster::rendezvous {

namespace {

std::uint64_t place_of(NodeIndex node, LocalTask task) {
  return (std::uint64_t{value_of(node)} << 32) | value_of(task);
}

}  // namespace

Assembly::Assembly(std::vector<ExpectedMember> expected, NodeIndex node, Generation last,
                   std::uint32_t minimum_nodes)
    : expected_(std::move(expected)),
      node_(node),
      generation_(last),
      seats_(expected_.size()),
      attendance_(expected_, minimum_nodes) {
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
  place.in_roster = place.acknowledged = false;
  ++taken_;
  attendance_.join(member);
}

void Assembly::vacate(MemberIndex member) {
  Seat& place = seats_[value_of(member)];
  MUSTER_CHECK(place.taken);
  --taken_;
  if (place.acknowledged) --acknowledged_;
  place = Seat();
  attendance_.leave(member);
}

Generation Assembly::prepare() {
  generation_ = Generation{value_of(generation_) + 1};
  acknowledged_ = in_roster_ = 0;
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    seats_[i].acknowledged = false;
    seats_[i].in_roster = attendance_.is_in_world(MemberIndex{static_cast<std::uint32_t>(i)});
    if (seats_[i].in_roster) ++in_roster_;
  }
  return generation_;
}

void Assembly::acknowledge(MemberIndex member, Generation generation) {
  Seat& place = seats_[value_of(member)];
  if (generation != generation_ || !place.in_roster || place.acknowledged) return;
  place.acknowledged = true;
  ++acknowledged_;
}

Roster Assembly::roster() const {
  Roster roster;
  roster.generation = generation_;
  roster.coordinator_address = coordinator_address();
  roster.size = static_cast<std::uint32_t>(in_roster_);
  roster.members.reserve(in_roster_);
  for (const Seat& seat : seats_) {
    if (!seat.in_roster) continue;
    const MemberIndex index{static_cast<std::uint32_t>(roster.members.size())};
    roster.members.push_back({index, seat.description, seat.address});
  }
  return roster;
}

SeatSet Assembly::roster_seats() const {
  return SeatSet::of(seats_.size(),
                     [this](MemberIndex member) { return seats_[value_of(member)].in_roster; });
}

std::vector<ConnectionId> Assembly::commit() {
  std::vector<ConnectionId> left_out;
  if (in_roster_ == seats_.size()) return left_out;
  std::vector<ExpectedMember> expected;
  std::vector<Seat> seats;
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    if (seats_[i].in_roster) {
      expected.push_back(std::move(expected_[i]));
      seats.push_back(std::move(seats_[i]));
    } else if (seats_[i].taken) {
      left_out.push_back(seats_[i].connection);
    }
  }
  Assembly rest(std::move(expected), node_, generation_, 0);
  for (std::size_t i = 0; i < seats.size(); ++i) {
    const bool acknowledged = seats[i].acknowledged;
    const MemberIndex member{static_cast<std::uint32_t>(i)};
    rest.take(member, std::move(seats[i]));
    rest.seats_[i].in_roster = true;
    ++rest.in_roster_;
    if (acknowledged) rest.acknowledge(member, generation_);
  }
  *this = std::move(rest);
  return left_out;
}

std::vector<ExpectedMember> Assembly::missing() const {
  std::vector<ExpectedMember> missing;
  const bool complete = attendance_.is_complete();
  for (std::size_t i = 0; i < seats_.size(); ++i) {
    const bool is_silent = seats_[i].in_roster && !seats_[i].acknowledged;
    if (complete ? is_silent : !seats_[i].taken) missing.push_back(expected_[i]);
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
