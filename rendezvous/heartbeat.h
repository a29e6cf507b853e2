// Heartbeat: who spoke when, and when silence means something. Pure.
//
// Each side sends a Ping after kPingInterval without another frame. An engine looks at its links
// once per kBeat, not per link, so that thousands of links cost one timer. Silence alone makes a
// peer suspect, never lost: only TCP's word (unacknowledged data, a closed connection) does that.
// After a gap in the own loop (SIGSTOP, a suspended job) nobody is judged for one period: what the
// others sent meanwhile has not been read yet.
#pragma once

#include <optional>

#include "rendezvous/base/time.h"

namespace muster::rendezvous {

inline constexpr Duration kBeat{250};
inline constexpr Duration kPingInterval{1000};
inline constexpr Duration kGap{3000};
// Before the roster: for a member that had joined to come back, for the node of a coordinator whose
// role we took, for somebody to refute a roster in doubt, and for a member that lost its
// coordinator to find one.
inline constexpr Duration kReturnPatience{3000};
inline constexpr Duration kLostNodePatience{1000};
inline constexpr Duration kDoubtPatience{2000};
inline constexpr Duration kFollowPatience{15000};
// Before the roster a silent path is given up sooner than while the members work.
inline constexpr Duration kLostWhileGathering{5000};

// The own loop's pulse.
class Pulse {
 public:
  explicit Pulse(TimePoint now) : next_(now + kBeat) {}

  TimePoint next() const { return next_; }

  struct Beat {
    bool due = false;  // look at the links now
    Duration gap{};    // how long the loop stood still; zero normally
  };
  Beat advance(TimePoint now);

 private:
  TimePoint next_;
};

// One peer's.
class Link {
 public:
  explicit Link(TimePoint now) : heard_(now), sent_(now), told_(now) {}

  // True when the peer was suspect until now.
  bool note_heard(TimePoint now);
  void note_sent(TimePoint now) { sent_ = now; }
  bool wants_ping(TimePoint now) const { return now - sent_ >= kPingInterval; }

  // The silence, when it makes the peer suspect now, or again `repeat` after it was last told.
  std::optional<Duration> check(TimePoint now, Duration suspect_after, Duration repeat);

  bool is_suspect() const { return suspect_; }
  Duration silence(TimePoint now) const;

  // After a gap: a fresh period.
  void forgive(TimePoint now);

 private:
  TimePoint heard_;
  TimePoint sent_;
  TimePoint told_;
  bool suspect_ = false;
};

}  // namespace muster::rendezvous
