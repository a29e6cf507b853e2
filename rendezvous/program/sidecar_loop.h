// The sidecar's side: answers calls on stdin, one after the other, until end of file. Blocks.
#pragma once

namespace muster::rendezvous {

// Returns the exit code.
int run_sidecar();

}  // namespace muster::rendezvous
