// Which of the GPUs that a process sees it takes. Pure.
#pragma once

#include <cstdint>

#include "rendezvous/base/result.h"

namespace muster::bench::nccl {

// One visible: that one (Slurm or the launcher bound it). Enough for all ranks of the node: by
// local rank. Fewer: an error, unless `may_share` (tests that give each rank an NCCL_HOSTID of its
// own).
Result<int> choose_device(std::uint32_t local_rank, std::uint32_t local_size, int visible,
                          bool may_share);

}  // namespace muster::bench::nccl
