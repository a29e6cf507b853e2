// Guardian: a tiny child of each agent, placed like a worker, that outlives the agent if need be.
//
// It reports every signal that reaches it (see signal_relay.h), acts on none, and when the agent is
// gone it kills, with SIGKILL, the groups it was told to watch and every process of this user whose
// environment carries the marker or its beside_marker, until none is left or 5 s have passed. It
// holds none of our standard streams, so it never keeps srun waiting.
//
// Start it first in main: before loops, threads and large allocations, since it is a copy of us.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "launcher/process/spawn.h"
#include "rendezvous/base/fd.h"
#include "rendezvous/base/result.h"

namespace muster::process {

class Guardian {
 public:
  static Result<Guardian> start(const std::string& marker);

  Guardian(Guardian&&) = default;
  Guardian& operator=(Guardian&&) = default;
  ~Guardian() = default;  // without dismiss(): the guardian takes the agent for dead and sweeps

  // Process groups that must not outlive the agent. Never blocks.
  void watch_group(pid_t group);
  void forget_group(pid_t group);

  // Non-blocking, readable when signals were reported; end of file when the guardian is gone.
  int report_fd() const { return reports_.get(); }
  // The signals reported since the last call; sets `lost` at end of file.
  std::vector<int> read_reports(bool& lost);

  // The agent ends in order and nothing of it is left: the guardian leaves without a sweep.
  void dismiss();

  pid_t pid() const { return child_.pid; }

 private:
  Guardian(Child child, Fd orders, Fd reports)
      : child_(std::move(child)), orders_(std::move(orders)), reports_(std::move(reports)) {}

  Child child_;
  Fd orders_;
  Fd reports_;
};

}  // namespace muster::process
