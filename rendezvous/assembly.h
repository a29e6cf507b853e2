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

#include "rendezvous/base/ids.h"
#include "rendezvous/messages.h"
#include "rendezvous/types.h"

namespace muster::rendezvous {

struct Seat {
  bool taken = false;
  bool acknowledged = false;
  ConnectionId connection{};
  std::string session;
  MemberDescription description;
  std::string address;         // the member's, as the server sees it
  std::string server_address;  // the server's, as the member reached it
};

class Assembly {
 public:
  // `expected` has no (node, task) twice. Generations count up from `last`.
  Assembly(std::vector<ExpectedMember> expected, NodeIndex node, Generation last);

  std::optional<MemberIndex> find(NodeIndex node, LocalTask task) const;
  const Seat& seat(MemberIndex member) const { return seats_[value_of(member)]; }
  std::size_t size() const { return seats_.size(); }
  const std::vector<ExpectedMember>& expected() const { return expected_; }

  void take(MemberIndex member, Seat seat);
  void vacate(MemberIndex member);

  bool all_joined() const { return taken_ == seats_.size(); }
  bool all_acknowledged() const { return acknowledged_ == seats_.size(); }

  // Begins the next generation: no acknowledgement counts any more.
  Generation prepare();
  Generation generation() const { return generation_; }
  // Counted once per member and generation; an older generation counts nothing.
  void acknowledge(MemberIndex member, Generation generation);

  // The roster of the current generation; all seats are taken.
  Roster roster() const;

  // Those who have no seat; or, when all have one, those who did not acknowledge.
  std::vector<ExpectedMember> missing() const;

 private:
  std::string coordinator_address() const;

  std::vector<ExpectedMember> expected_;
  NodeIndex node_;
  Generation generation_;
  std::unordered_map<std::uint64_t, MemberIndex> places_;
  std::vector<Seat> seats_;
  std::size_t taken_ = 0;
  std::size_t acknowledged_ = 0;
};

}  // namespace muster::rendezvous
