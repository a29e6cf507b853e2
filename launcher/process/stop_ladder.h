// StopLadder: the steps by which a gang is stopped, as a pure function of time.
//
//   first signal -> (2/3 of the grace) SIGTERM if the first was another -> (grace) SIGKILL
//   -> (kill_wait) "SIGKILL sent, still there" is reported
//
// The whole ladder up to SIGKILL fits in `grace`, which should be below Slurm's KillWait.
#pragma once

#include <csignal>
#include <optional>
#include <vector>

#include "rendezvous/base/time.h"

namespace muster::process {

struct StopPlan {
  int first_signal = SIGTERM;
  bool first_signal_sent = false;  // workers have it already: Slurm or a forward brought it
  Duration grace{15'000};
  Duration kill_wait{2'000};
};

enum class StopAction { kSendFirst, kSendTerm, kSendKill, kReportStuck };

class StopLadder {
 public:
  StopLadder(const StopPlan& plan, TimePoint now);

  // The actions that are due, in order; each is given once.
  std::vector<StopAction> step(TimePoint now);
  std::optional<TimePoint> next_deadline() const;

  // A further, more urgent stop: its ladder replaces what is left where that is earlier.
  void tighten(const StopPlan& plan, TimePoint now);
  // SIGKILL now.
  void hurry(TimePoint now);

  int first_signal() const { return first_signal_; }
  bool kill_sent() const { return kill_sent_; }

 private:
  struct Step {
    StopAction action;
    TimePoint due;
  };

  int first_signal_;
  bool kill_sent_ = false;
  Duration kill_wait_;
  std::vector<Step> steps_;  // by due time
};

}  // namespace muster::process
