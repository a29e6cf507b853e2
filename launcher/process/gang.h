// Gang: the processes that one agent starts together, from spawn to the last reaped descendant.
//
// Shell on the caller's io_context and thread. Never blocks: exec, exit and reap are events, and
// processes of a sick file system are reported, not waited for. For each worker: its own process
// group; on its exit the group is killed before the leader is reaped; a leader that exits 0 leaves
// its group `patience` to finish. At the end every descendant that escaped (setsid, double fork) is
// found by the marker or as our adopted child, and killed; then the output is drained.
//
// The agent must be a subreaper (become_subreaper) so that escaped descendants stay findable. Its
// own helpers must stay in its session, or they pass for descendants. One gang runs at a time, and
// next to it those that have a beside_marker and say so in their options.
// All callbacks come from the loop, never from inside a call of the gang. The gang may be destroyed
// in any callback; destroying it with processes left sends them SIGKILL and waits for nothing.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "launcher/process/exit_status.h"
#include "launcher/process/guardian.h"
#include "launcher/process/spawn.h"
#include "launcher/process/stop_ladder.h"
#include "rendezvous/base/ids.h"
#include "rendezvous/base/result.h"
#include "rendezvous/base/time.h"

namespace boost::asio {
class io_context;
}

namespace muster::process {

using WallTime = std::chrono::system_clock::time_point;

// PR_SET_CHILD_SUBREAPER, and SIGCHLD as it should be; once, early in main.
Status become_subreaper();

struct WorkerSpec {
  LocalRank local_rank{};
  std::string label;  // "rank 3", for messages
  SpawnPlan plan;     // environment with the marker; fds 1 and 2 come from GangOutput, if any
};

// Where the workers' output goes; implemented by output::OutputCarrier.
class GangOutput {
 public:
  struct Ends {
    Fd out;  // become the worker's 1 and 2; closed on our side after the spawn
    Fd err;
  };
  virtual ~GangOutput() = default;
  virtual Result<Ends> open(LocalRank local_rank) = 0;
  // Calls back, from the loop, when all that was written is carried or its deadline has passed.
  virtual void drain(std::function<void()> done) = 0;
};

struct StuckProcess {
  pid_t pid;
  std::string label;  // the worker's, or "descendant"
};

// How a gang ended. `stuck` names what got SIGKILL and is still there.
struct GangEnd {
  std::vector<StuckProcess> stuck;
  std::size_t escaped_killed = 0;  // descendants found outside their groups
};

class GangObserver {
 public:
  virtual ~GangObserver() = default;
  virtual void on_started(LocalRank local_rank, pid_t pid) = 0;
  // Nothing runs for this local rank; exit_code is 126 or 127. No on_exited follows.
  virtual void on_start_failed(LocalRank local_rank, const Error& error, int exit_code) = 0;
  // The leader ended; its group may live on for a while.
  virtual void on_exited(LocalRank local_rank, ExitStatus status, WallTime when) = 0;
  // SIGKILL went to all groups (a step of the stop ladder), with what was still there.
  virtual void on_killed(std::size_t workers_left) = 0;
  // The last callback: all is gone, swept and drained, or stuck and named.
  virtual void on_finished(const GangEnd& end) = 0;
};

struct GangOptions {
  std::string marker;           // value of kMarkerVariable in the workers' environment
  bool beside = false;          // `marker` is a beside_marker; the sweep goes by it alone
  Duration patience{10'000};    // for the group of a leader that exited 0
  Duration sweep_limit{5'000};  // for descendants that escaped
};

class Gang {
 public:
  // `guardian` and `output` may be null. All references outlive the gang.
  Gang(boost::asio::io_context& io, GangOptions options, GangObserver& observer, Guardian* guardian,
       GangOutput* output);
  ~Gang();
  Gang(const Gang&) = delete;
  Gang& operator=(const Gang&) = delete;

  // Once. A worker that cannot be started is told by on_start_failed; the others start.
  void start(std::vector<WorkerSpec> workers);

  // To the group of every worker that has not ended.
  void signal_all(int signum);

  // Begins the stop ladder, or tightens the one under way.
  void stop(const StopPlan& plan);
  // SIGKILL now (a second SIGINT).
  void hurry();

  // Workers started and not yet ended.
  std::size_t running() const;
  std::vector<pid_t> pids() const;

 private:
  class Body;
  std::shared_ptr<Body> body_;  // pending handlers hold it too and must outlive the gang
};

}  // namespace muster::process
