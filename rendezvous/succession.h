// Succession: when this process may take the role of coordinator. Pure.
//
// The first few lead processes of a group, in the order of their nodes, are its *successors*; the
// place among them is also the epoch of a coordinator there, so the role only ever moves forward
// and a greeting says by itself who is newer. Taking the role too early is safe (SUCCESSION.md has
// the argument), only wasteful; so the times here are about calm, not about correctness.
#pragma once

#include <cstdint>
#include <optional>

#include "rendezvous/base/time.h"

namespace muster::rendezvous {

// More lead processes than these in a row are not expected to die in one assembly.
inline constexpr std::uint32_t kMaxSuccessors = 8;
// After the loss of a coordinator: it may be only the connection that broke.
inline constexpr Duration kTakeoverGrace{700};
// For every successor before us who should have taken the role and did not.
inline constexpr Duration kTakeoverStep{3000};
// Nobody was ever met. For every successor before us that does not answer, or whose place is taken
// by a stranger; and for every one whose kernel says that nobody listens, so that nothing is in the
// way: it may be slow (a container is being pulled), and joins us when it comes.
inline constexpr Duration kFirstPatience{20000};
inline constexpr Duration kClosedPatience{4000};

class Succession {
 public:
  // `place`: this process's among the successors; nothing for one who never leads.
  Succession(std::optional<std::uint32_t> place, TimePoint now);

  // A coordinator of this epoch that had proven itself is lost.
  void note_lost(std::uint32_t epoch, TimePoint now);
  // Somebody said the first coordinator's greeting and broke off, or is gone without a word. It may
  // have been anybody, so this does no more than hurry the next one.
  void note_broken_off(TimePoint now);
  // We had the role and yielded it: whoever has it now is given time to be found.
  void note_gave_back(TimePoint now);
  // The loop stood still: everybody else's words lie unread.
  void forgive(Duration gap);

  // When to take the role if nobody has been found until then; TimePoint::max() for never.
  // `closed_before`: so many of those before us have a kernel that says that nobody listens.
  TimePoint due(std::uint32_t closed_before = 0) const;

  // The epoch we would lead.
  std::optional<std::uint32_t> place() const { return place_; }

 private:
  std::optional<std::uint32_t> place_;
  TimePoint since_;
  bool gave_back_ = false;
  std::optional<std::uint32_t> lost_;  // the newest one
};

}  // namespace muster::rendezvous
