// Whether a task's terminal is one that somebody looks at. Pure.
#pragma once

#include "rendezvous/base/environment.h"

namespace muster::slurm {

// Of a task whose stdout is a terminal. srun -u gives every task a pseudo-terminal too, only so
// that lines come at once; what it shows ends in a file of the batch script as often as not. Only
// with --pty, on a terminal of its own, srun sets SLURM_PTY_PORT (22.05).
bool has_terminal_of_user(const Environment& environment);

}  // namespace muster::slurm
