// OriginalLimits: what the user's process looked like before we changed it for ourselves.
//
// Captured as the first thing in main. Workers get it back: limits (we raise open files), signal
// mask, ignored signals (nohup), umask, and an OOM score above the agent's.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <csignal>
#include <vector>

#include "rendezvous/base/result.h"

namespace muster::process {

struct ResourceLimit {
  int resource;  // RLIMIT_*
  rlimit limit;
};

struct OriginalLimits {
  std::vector<ResourceLimit> limits;
  sigset_t mask{};
  sigset_t ignored{};  // signals whose disposition was SIG_IGN
  mode_t file_mask = 022;
  int oom_score_adj = 0;

  // Single-threaded callers only: reading the umask writes it.
  static OriginalLimits capture();
};

// Raises the soft limit of open files to the hard one.
Status raise_open_files();

}  // namespace muster::process
