// The last step of --exec: this process becomes the program.
#pragma once

#include "launcher/agent/gang_builder.h"
#include "launcher/process/original_limits.h"

namespace muster::launcher {

// Gives back the user's limits and signals, marks every descriptor of ours close-on-exec, and
// replaces the process. Returns 126 or 127, after one line on stderr, when that fails.
int exec_program(const WorkerLaunch& launch, const process::OriginalLimits& original);

}  // namespace muster::launcher
