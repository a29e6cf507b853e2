// Doubt: whether an older coordinator may have committed a roster that its members did not hear of.
// Pure. SUCCESSION.md has the argument.
//
// A member that acknowledged a roster and lost its coordinator before the commit does not know
// whether the roster is in force. It says so when it joins a successor. The successor may go on
// only when a member of that roster takes part in its own and has not acknowledged the older one:
// then the older coordinator lacks that acknowledgement for ever.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "rendezvous/base/ids.h"
#include "rendezvous/seat_set.h"

namespace muster::rendezvous {

// A roster that a member acknowledged: its generation, which has the coordinator's epoch in its
// upper half, and who was in it.
struct Acknowledged {
  Generation generation{};
  SeatSet members;

  bool operator==(const Acknowledged&) const = default;
};

// A member's memory: of every epoch the newest roster it acknowledged. (A coordinator that prepared
// a newer one has thrown the older away, so that one is not in force.)
class AcknowledgedRosters {
 public:
  void note(Acknowledged acknowledged);
  // No coordinator of an older epoch is followed any more.
  std::uint32_t promised_epoch() const;
  std::vector<Acknowledged> list() const;  // oldest first

 private:
  std::map<std::uint32_t, Acknowledged> by_epoch_;
};

// The successor's view of what its members said.
class Doubts {
 public:
  explicit Doubts(std::size_t expected) : expected_(expected) {}

  // `member` joined and says all it acknowledged, or is gone. What a member said stays in doubt
  // when it goes; what its silence proved does not.
  void note_joined(MemberIndex member, const std::vector<Acknowledged>& said);
  void note_gone(MemberIndex member) { said_.erase(member); }

  // The newest roster that nobody refutes; `takes_part` tells who is in the roster to come.
  std::optional<Generation> open(const std::function<bool(MemberIndex)>& takes_part) const;

 private:
  std::size_t expected_;
  // Of those who are here: what they acknowledged.
  std::map<MemberIndex, std::vector<Generation>> said_;
  std::map<Generation, SeatSet> rosters_;
};

}  // namespace muster::rendezvous
