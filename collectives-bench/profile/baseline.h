// Baseline: a profile whose figures were measured on the machine itself. `--record-baseline FILE`
// writes one; a later run that is given it compares with it, and may stop where it falls short.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "collectives-bench/profile/profile.h"
#include "rendezvous/base/result.h"

namespace muster::bench {

inline constexpr double kBaselineTolerance = 0.1;

struct MeasuredBusbw {
  std::string operation;
  std::uint32_t nodes = 0;
  std::uint32_t ranks_per_node = 0;
  std::string algorithm;  // "" when unknown
  std::uint64_t bytes = 0;
  double busbw = 0;  // GB/s; what is not positive is left out
};

// `base` with the measured rows in front: of the same (operation, nodes, ranks, algorithm) they
// replace what was there. `origin`: where and when, one line, "job 4711 on node[001-004],
// 2026-11-23, NCCL 2.28.3"; it becomes the source of each figure. Of a size measured twice the last
// holds. Pure.
Profile record_baseline(const Profile& base, const std::vector<MeasuredBusbw>& measured,
                        const std::string& origin, double tolerance = kBaselineTolerance);

// Writes beside `path`, reads that back, and only when it is identical puts it in the place of
// `path`. Blocks on the file system.
Status write_baseline_file(const std::string& path, const Profile& profile);

}  // namespace muster::bench
