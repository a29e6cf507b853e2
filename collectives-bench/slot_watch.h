// SlotWatch: what the parent of several ranks (-g N) does about their ends, about signals and about
// time. Pure: events and the time in, effects out.
//
//   a rank dies of a signal       named; the others of the task get SIGKILL at once
//   a rank ends with a code       the others have kTellGrace to end by themselves, then SIGKILL
//   a signal reaches the parent   passed on; what is left after kSignalGrace gets SIGKILL
//   the deadline passes           who still runs is named and gets SIGKILL: it was stopped, or
//   hangs
//                                 where its own watchdog cannot end it
//   SIGKILL, and still there      named after kKillGrace and left behind
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rendezvous/base/time.h"

namespace muster::bench {

inline constexpr Duration kTellGrace = std::chrono::seconds(5);
inline constexpr Duration kSignalGrace = std::chrono::seconds(2);
inline constexpr Duration kKillGrace = std::chrono::seconds(5);

struct SlotEffects {
  std::optional<int> signal;       // send it to all slots that run
  std::vector<std::string> lines;  // for people, without a newline
  std::optional<int> exit_code;    // all is over: leave with it
};

class SlotWatch {
 public:
  // One label a slot, "rank 3 (node1)". The ranks end by themselves before `deadline`.
  SlotWatch(std::vector<std::string> labels, TimePoint deadline);

  SlotEffects on_exit(std::size_t slot, int wait_status, TimePoint now);
  SlotEffects on_signal(int signum, TimePoint now);
  SlotEffects on_time(TimePoint now);

  TimePoint next_deadline() const;
  bool runs(std::size_t slot) const { return slots_[slot].runs; }

 private:
  struct State {
    std::string label;
    bool runs = true;
  };

  std::string running_labels() const;
  bool any_runs() const;
  void kill_rest(SlotEffects& effects, TimePoint now);
  void count(int code);
  void finish_if_over(SlotEffects& effects) const;

  std::vector<State> slots_;
  TimePoint deadline_;
  std::optional<TimePoint> grace_end_;  // who runs then is killed
  std::optional<TimePoint> kill_end_;   // SIGKILL was sent; who is there then is left behind
  std::optional<int> passed_on_;        // the last signal that was
  int highest_ = 0;
};

}  // namespace muster::bench
