// Signals of a helper: Slurm and terminals send theirs to all processes of a step, but a helper
// ends when its parent does, neither before nor after.
#pragma once

namespace muster::rendezvous {

void ignore_signals_to_the_step();

}  // namespace muster::rendezvous
