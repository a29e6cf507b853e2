#include "collectives-bench/nccl/device_choice.h"

#include <fmt/format.h>

namespace muster::bench::nccl {

Result<int> choose_device(const Seat& seat, int visible, bool may_share) {
  if (visible <= 0) return failure(ErrorCode::kUnsupported, "no GPU is visible to this process");
  const auto devices = static_cast<std::uint32_t>(visible);
  if (devices == seat.slots) return static_cast<int>(seat.slot);
  if (seat.local_size <= devices) return static_cast<int>(seat.local_rank);
  if (may_share) return static_cast<int>(seat.local_rank % devices);
  if (seat.slots > 1) {
    return failure(ErrorCode::kInvalidArgument,
                   fmt::format("-g {} and {} ranks on this node, but a task sees {} GPUs: write "
                               "-g {}, one task a node",
                               seat.slots, seat.local_size, devices, devices));
  }
  return failure(ErrorCode::kInvalidArgument,
                 fmt::format("{} processes on this node, but {} GPUs: start one process a GPU, "
                             "such as srun --ntasks-per-node={}",
                             seat.local_size, devices, devices));
}

}  // namespace muster::bench::nccl
