// Reads a profile from YAML, and writes one so that it reads back identical. Pure.
//
//   profile: p5                          name, at most 64 characters
//   instance_types: [p5.48xlarge]        optional
//   gpus:                                optional, as is each of its keys
//     model: H100                        count, nvlinks, pcie_width, pcie_generation: whole numbers
//     count: 8
//   nics: {kind: efa, count: 32, gbit_per_second: 100}      kind: efa or any
//   host: {nofile: 65536}                optional: what slurmd's limits must allow
//   sources:                             short name: where it was published
//     readme: https://...
//   busbw:
//     - operation: all_reduce
//       nodes: 2
//       ranks_per_node: 8                optional; default: gpus.count
//       algorithm: Ring                  optional
//       kind: published                  or recorded
//       tolerance: 0.15                  below 1
//       points:                          sizes ascend; step: true, see profile.h
//         - {size: 1G, busbw: 435, source: readme}
//   environment:
//     - {name: FI_EFA_USE_HUGE_PAGE, value: "0", reason: ..., source: readme}
//
// Any other key, a key given twice, a source that is not listed: an error.
#pragma once

#include <string>
#include <string_view>

#include "collectives-bench/profile/profile.h"
#include "rendezvous/base/result.h"

namespace muster::bench {

inline constexpr std::size_t kMaxProfileText = 1000;   // characters of one text
inline constexpr std::size_t kMaxProfileItems = 4096;  // of one list

// The first error, in one line: "p5.yaml:3:7: 'gpu' is given; expected one of ...: write 'gpus'
// (and 2 more errors)".
Result<Profile> parse_profile(const std::string& file, std::string_view text);

// parse_profile gives the same value back, for every profile that it can give at all.
std::string write_profile(const Profile& profile);

}  // namespace muster::bench
