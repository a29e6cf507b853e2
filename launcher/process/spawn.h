// The only fork of the launcher: `spawn` starts a program, `fork_function` a helper of our own.
//
// Everything is built before the fork; the child makes only async-signal-safe calls, in the order
// of one array (see spawn.cc). Call from the main thread: the parent-death signal follows the
// thread that forked. `spawn` returns before the exec has happened and does not block on it, since
// an exec from a stalled file system may take for ever; `Child::exec_report` tells the outcome.
#pragma once

#include <sys/types.h>

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "launcher/process/exit_status.h"
#include "launcher/process/original_limits.h"
#include "rendezvous/base/fd.h"
#include "rendezvous/base/result.h"

namespace muster::process {

struct SpawnPlan {
  std::string program;                   // a path, see resolve_program
  std::vector<std::string> argv;         // argv[0] included
  std::vector<std::string> envp;         // "NAME=value"
  std::string cwd;                       // empty: ours
  std::vector<std::pair<int, int>> fds;  // child's number <- our descriptor; all others are closed,
                                         // except 0, 1 and 2, which are inherited if not named
  bool own_group = true;
  bool die_with_parent = true;       // SIGKILL when the agent is gone
  bool take_terminal = false;        // become the foreground group of stdin's terminal
  std::vector<int> cpus;             // empty: ours
  std::optional<int> oom_score_adj;  // ignored where the system refuses
  bool low_priority = false;         // nice 10 more, idle disk; ignored where the system refuses
  OriginalLimits original;           // given back to the child: limits, mask, umask, ignored
};

struct Child {
  pid_t pid = -1;
  Fd pidfd;
  Fd exec_report;  // readable or at its end when the exec has failed or succeeded; non-blocking
};

// Why a program did not start. `exit_code` is 127 (not found) or 126 (found, cannot be executed).
struct ExecFailure {
  std::string text;  // "exec /x/python: No such file or directory"
  int exit_code;
};

// Fails only when the machine cannot fork (kSystem, kLimit) or the plan is broken.
Result<Child> spawn(const SpawnPlan& plan);

// Becomes the program of `plan`, without a fork, in this process and its group (muster --exec).
// Returns only when that failed; the process may be half changed then and can only report and exit.
ExecFailure exec_in_place(SpawnPlan plan);

// What the report of a readable `exec_report` says; nullopt: the program runs (or died before it
// could, which its exit status tells).
std::optional<ExecFailure> read_exec_report(const Child& child, const SpawnPlan& plan);

// `name` as execvp would find it: taken as it is with a slash in it, else looked up in `path`
// (a PATH value). Touches the file system: not for the loop.
Result<std::string> resolve_program(std::string_view name, std::string_view path);

// A helper process of our own: runs `body` in a fork of this process and exits with what it
// returns. For single-threaded parents only. In the child all signals stay blocked, every
// descriptor but those of `keep` is closed (0, 1 and 2 are /dev/null, so that no helper keeps srun
// waiting), and it forms its own process group. It does not die with its parent; a pipe's end must
// tell it.
Result<Child> fork_function(const char* name, const std::vector<int>& keep,
                            const std::function<int()>& body);

// Peeks at a child that has ended, without reaping it; nullopt while it runs. Never blocks.
std::optional<ExitStatus> peek_exit(const Fd& pidfd);

// Reaps a child that has ended; nullopt while it runs. Never blocks.
std::optional<ExitStatus> reap(const Fd& pidfd);

}  // namespace muster::process
