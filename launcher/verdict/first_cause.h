// The first cause: which event started a failure, and how many died of it. Pure.
//
// Decided once, after the stop ladder, when all evidence is in; not by who exited first: a core
// dump or an atexit handler delays the culprit, and its peers' "Connection reset by peer" may come
// earlier. The rules, in order:
//   1. A cancel that came before (or within half a second after) every other cause wins: workers
//      that died around it died of it.
//   2. Causes with words or a death of their own, from before the stop: the earliest by the clocks.
//      When clocks cannot order two, the stronger evidence wins: error file, traceback, a signal
//      that muster did not send, a silent exit code; then the lower rank. A lost node or agent
//      counts from the last moment it was heard.
//   3. Words of its own by a worker that ended after the stop (its error may have been first).
//   4. A worker whose last words complain about a peer; then any failure after the stop.
// Workers that died of muster's own SIGTERM or SIGKILL are never the cause while there is another.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "launcher/process/exit_status.h"
#include "rendezvous/base/ids.h"

namespace muster::verdict {

// Wall-clock time of the coordinator's clock: the shell adds each node's measured offset.
using WallTime = std::chrono::sys_time<std::chrono::nanoseconds>;

// How a node's clock relates to the coordinator's.
struct ClockOffset {
  std::chrono::nanoseconds to_coordinator{0};  // add it to the node's clock
  std::chrono::nanoseconds uncertainty{0};     // plus or minus

  bool operator==(const ClockOffset&) const = default;
};

struct WorkerPlace {
  Rank rank{};
  LocalRank local_rank{};
  NodeIndex node{};
  std::string host;

  bool operator==(const WorkerPlace&) const = default;
};

struct StartFailure {
  std::string text;   // "exec /x/python: No such file or directory"
  int exit_code = 0;  // 127 or 126

  bool operator==(const StartFailure&) const = default;
};

// One worker's end, as its agent saw it. Times are the node's own clock.
struct WorkerEnd {
  WorkerPlace place;
  process::ExitStatus status = process::ExitStatus::exited(0);  // unless start_failure is set
  std::optional<StartFailure> start_failure;
  WallTime when{};
  ClockOffset clock;
  std::optional<WallTime> stop_sent;     // when its agent first signalled it, if it did
  std::string error_file;                // raw contents; "" for none
  std::vector<std::string> stderr_tail;  // last lines, oldest first
};

// A node or an agent that fell silent or whose connection broke.
struct PeerLoss {
  NodeIndex node{};
  std::string host;
  bool whole_node = false;  // false: the host answers, its agent is gone
  WallTime last_heard{};    // coordinator's clock
  WallTime decided{};       // coordinator's clock
  std::size_t workers = 0;  // that ran there
  std::string detail;       // "no answer for 10 s", "connection closed"

  bool operator==(const PeerLoss&) const = default;
};

// The user's or Slurm's wish to end, noticed by some agent.
struct Cancel {
  int signal_number = 0;
  WallTime when{};  // the noticing node's clock
  ClockOffset clock;
  std::string host;
};

// All that happened in one attempt. Ends with exit code 0 belong to it.
struct Evidence {
  std::vector<WorkerEnd> ends{};
  std::vector<PeerLoss> losses{};
  std::optional<Cancel> cancel{};  // the first one
};

enum class CauseKind { kWorker, kStartFailure, kCancel, kAgentLost, kNodeLost, kMissingNodes };

struct FirstCause {
  CauseKind kind = CauseKind::kWorker;
  WorkerPlace place;        // kWorker, kStartFailure; else node and host only, where known
  std::string text;         // "exit code 3: ValueError: boom"; one printable line
  int exit_code = 0;        // what every agent exits with
  std::size_t victims = 0;  // other workers that failed or were stopped
  bool complaint = false;   // kWorker: its words blame a peer, and nobody else shows a cause
  std::vector<std::string> stderr_tail;  // the worker's last lines
  std::string call_stack;                // from its error file, or empty
};

// Nothing when every worker ended with code 0 and there is neither loss nor cancel.
std::optional<FirstCause> decide_first_cause(const Evidence& evidence);

// The job never started: these hosts did not come. `hosts` is not empty.
FirstCause missing_nodes(const std::vector<std::string>& hosts, std::size_t expected,
                         std::chrono::milliseconds deadline);

}  // namespace muster::verdict
