// Assembly: the seats of the expected members, and the roster they become. Pure.
//
// Knows who sits where and who acknowledged; the phases (phases.h) and all talking are the
// engine's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "rendezvous/attendance.h"
#include "rendezvous/base/ids.h"
#include "rendezvous/messages.h"
#include "rendezvous/types.h"

namespace muster::rendezvous {

struct Seat {
  bool taken = false;
  bool in_roster = false;  // of the generation prepared last
  bool acknowledged = false;
  ConnectionId connection{};
  std::string session;
  bool wants_members = true;
  MemberDescription description;
  std::string address;         // the member's, as the server sees it
  std::string server_address;  // the server's, as the member reached it
};

class Assembly {
 public:
  // `expected` has no (node, task) twice. Generations count up from `last`. For `minimum_nodes` see
  // Attendance.
  Assembly(std::vector<ExpectedMember> expected, NodeIndex node, Generation last,
           std::uint32_t minimum_nodes);

  std::optional<MemberIndex> find(NodeIndex node, LocalTask task) const;
  const Seat& seat(MemberIndex member) const { return seats_[value_of(member)]; }
  std::size_t size() const { return seats_.size(); }
  const std::vector<ExpectedMember>& expected() const { return expected_; }

  void take(MemberIndex member, Seat seat);
  void vacate(MemberIndex member);

  std::size_t taken() const { return taken_; }
  const Attendance& attendance() const { return attendance_; }
  void give_up(MemberIndex member) { attendance_.give_up(member); }
  void give_up_absent() { attendance_.give_up_absent(); }
  bool all_acknowledged() const { return acknowledged_ == in_roster_; }

  // Begins the next generation with those who are in the world now: no acknowledgement counts any
  // more.
  Generation prepare();
  Generation generation() const { return generation_; }
  // Counted once per member and generation; an older generation counts nothing.
  void acknowledge(MemberIndex member, Generation generation);

  // The roster of the current generation, its members numbered from 0, and their seats.
  Roster roster() const;
  SeatSet roster_seats() const;

  // From now on only the members of the roster are expected, numbered as in it. Those left out who
  // have joined, by their connections.
  std::vector<ConnectionId> commit();

  // Those of the roster who did not acknowledge it, when it is complete; else those who have no
  // seat.
  std::vector<ExpectedMember> missing() const;

 private:
  std::string coordinator_address() const;

  std::vector<ExpectedMember> expected_;
  NodeIndex node_;
  Generation generation_;
  std::unordered_map<std::uint64_t, MemberIndex> places_;
  std::vector<Seat> seats_;
  Attendance attendance_;
  std::size_t taken_ = 0;
  std::size_t in_roster_ = 0;
  std::size_t acknowledged_ = 0;
};

}  // namespace muster::rendezvous
