// The parent of several ranks: the process of a task that was given -g N.
//
// Starts N processes of the same program with the same arguments, a rank each, passes signals on to
// them, reaps them, and leaves with the highest of their exit codes. SlotWatch decides; here is
// what touches the system. A child dies with its parent: the kernel sends it SIGKILL.
#pragma once

#include <string>
#include <vector>

#include "collectives-bench/slot.h"
#include "rendezvous/base/environment.h"
#include "rendezvous/base/result.h"
#include "rendezvous/base/time.h"

namespace muster::bench {

struct SlotPlan {
  std::string program;                    // its file
  std::vector<std::string> arguments;     // after its name
  std::vector<Environment> environments;  // one a slot, kSlotVariable apart
  std::vector<std::string> labels;        // "rank 3 (node1)"
  TimePoint deadline;                     // by which the ranks end by themselves
};

// Blocks until all are gone, a little after the deadline at most. Gives the exit code; lines go to
// stderr. An error when a child could not be started: none is left then.
Result<int> run_slots(const SlotPlan& plan);

// In a child, first of all: ends with its parent from here on. kUnavailable when that is gone.
Status end_with_parent(const SlotOrder& order);

}  // namespace muster::bench
