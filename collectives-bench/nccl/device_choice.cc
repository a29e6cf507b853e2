#include "collectives-bench/nccl/device_choice.h"

#include <fmt/format.h>

namespace muster::bench::nccl {

Result<int> choose_device(std::uint32_t local_rank, std::uint32_t local_size, int visible,
                          bool may_share) {
  if (visible <= 0) return failure(ErrorCode::kUnsupported, "no GPU is visible to this process");
  const auto devices = static_cast<std::uint32_t>(visible);
  if (devices == 1) return 0;
  if (local_rank < devices && local_size <= devices) return static_cast<int>(local_rank);
  if (may_share) return static_cast<int>(local_rank % devices);
  return failure(ErrorCode::kInvalidArgument,
                 fmt::format("{} processes on this node, but {} GPUs: start one process a GPU, "
                             "such as srun --ntasks-per-node={}",
                             local_size, devices, devices));
}

}  // namespace muster::bench::nccl
