// Which GPUs CUDA shows to a program, from CUDA_VISIBLE_DEVICES and the GPUs that are there. Pure.
//
//   absent               all
//   "", "-1"             none
//   "2,0"                by number, in this order; a number counts the GPUs that the process may
//                        open, in the order of their PCI bus ids
//   "GPU-8932f937,..."   by UUID or its first characters, as many as make it one GPU
//   "MIG-..."            the first instance alone: CUDA shows no more than one to a process
//
// The first word decides the kind. The first word that is of another kind or names no GPU ends the
// list; a GPU named twice leaves none at all. Numbers are read as strtoul does: "1x" is 1.
//
// Danger: CUDA counts by bus id only under CUDA_DEVICE_ORDER=PCI_BUS_ID. Its default puts the
// fastest first, which is the same order among equal GPUs; on a node with several models the
// numbers here may mean other GPUs than CUDA's do. All agents of a node err alike then, so what is
// seen twice is still found.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace muster::health {

struct GpuView {
  std::vector<std::string> visible;    // in CUDA's order; UUIDs, for a MIG instance the word given
  std::vector<std::string> reachable;  // all that the process may open, and what is visible
  bool operator==(const GpuView&) const = default;
};

// `list`: the value of CUDA_VISIBLE_DEVICES. `present`: the UUIDs of all GPUs that the process may
// open, in the order of their bus ids.
GpuView view_gpus(std::optional<std::string_view> list, const std::vector<std::string>& present);

}  // namespace muster::health
