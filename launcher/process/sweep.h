// Sweep: finds and kills descendants that left their group, their session or their parent.
//
// Blocks (a process in uninterruptible sleep may hold up the reading of its environment), so it
// runs in the guardian or in a child of its own, never in the loop.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "rendezvous/base/time.h"

namespace muster::process {

struct SweepTarget {
  std::vector<std::string> markers;  // processes of this user that carry one of them
  pid_t agent = 0;  // 0, or: descendants of this process that left `agent_session` ...
  pid_t agent_session = 0;
  std::vector<pid_t> groups;  // ... or belong to one of these groups ...
  std::string spared;         // ... and do not carry this marker; "": none is spared
};

struct SweepResult {
  std::vector<pid_t> killed;
  std::vector<pid_t> left;  // got SIGKILL and were still there at the limit
};

// Sends SIGKILL to all of them, again and again, until a look finds none or `limit` has passed.
SweepResult sweep(const SweepTarget& target, Duration limit);

}  // namespace muster::process
