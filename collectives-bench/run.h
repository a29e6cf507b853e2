// run_bench: from an exchange to a report. Picks and loads the backend, opens it, sweeps, closes.
//
// Prints nothing and ends nobody: the observer hears what happens, the report says how it ended.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectives-bench/backend.h"
#include "collectives-bench/measure.h"
#include "collectives-bench/options.h"
#include "collectives-bench/world.h"
#include "rendezvous/base/environment.h"

namespace muster::bench {

class RunObserver : public SweepObserver {
 public:
  // The backend is open on all ranks, which take `sweep` from here on.
  virtual void on_open(const RankReport& report, std::span<const Member> members,
                       const Sweep& sweep) = 0;
  // This rank failed and is about to give up its backend, which may hang.
  virtual void on_failure(const RankReport& report) = 0;
  virtual void on_note(std::string_view line) = 0;
};

struct RunPlan {
  BenchOptions options;
  Seat seat;
  Environment environment;
  std::string program;  // own file, where the search for modules begins
  double join_seconds = 0;
  std::vector<std::string> notes;  // of the command line
  Status ready;                    // what this rank prepared before; a failure reaches all ranks
};

// Collective; blocks until `deadline` at most, library calls that ignore it excepted.
RankReport run_bench(const RunPlan& plan, Exchange& exchange, RunObserver& observer,
                     TimePoint deadline);

// A report that knows only who speaks.
RankReport blank_report(const Seat& seat);

}  // namespace muster::bench
