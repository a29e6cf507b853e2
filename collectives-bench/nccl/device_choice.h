// Which of the GPUs that a process sees it takes. Pure.
#pragma once

#include <cstdint>

#include "collectives-bench/backend.h"
#include "rendezvous/base/result.h"

namespace muster::bench::nccl {

// As many as the task has ranks: by slot; one rank that sees one GPU, which Slurm or the launcher
// bound, is such a task. Enough for all ranks of the node: by local rank. Else an error, unless
// `may_share` (tests that give each rank an NCCL_HOSTID of its own).
Result<int> choose_device(const Seat& seat, int visible, bool may_share);

}  // namespace muster::bench::nccl
