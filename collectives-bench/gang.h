// CheckSpec: what a check gang is asked to measure, and the command line that asks for it. Pure.
//
// The launcher starts `muster-bench` with gang_arguments(spec), one process a slot (nccl) or one a
// node (fabric), MUSTER_GROUP_* in the environment and the write end of a pipe at report_fd.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "collectives-bench/sizes.h"
#include "rendezvous/base/time.h"

namespace muster::bench {

enum class BackendKind { kNccl, kFabric };

std::string_view to_string(BackendKind kind);  // "nccl", "fabric"; static

struct CheckSpec {
  BackendKind backend = BackendKind::kFabric;
  SizeRange sizes{.min_bytes = 16ull << 20, .max_bytes = 16ull << 20};
  std::uint32_t iterations = 3;
  std::uint32_t warmup = 1;
  bool in_place = true;                          // too
  Duration deadline = std::chrono::seconds(60);  // join to report; rounded up to whole seconds
  int report_fd = 3;
  std::string interface;     // "" lets the backend choose
  std::string nccl_library;  // "" lets the loader choose

  bool operator==(const CheckSpec&) const = default;
};

// Everything after the program's name.
std::vector<std::string> gang_arguments(const CheckSpec& spec);

}  // namespace muster::bench
