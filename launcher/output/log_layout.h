// Where per-rank files stand under the step's directory. Pure.
//
//   DIR/<job.step.restarts>/attempt_<n>/<rank>/stdout.log  stderr.log  error.json
//
// As torchrun's layout, but by global rank: on a shared file system local ranks of several nodes
// would collide.
#pragma once

#include <string>
#include <string_view>

#include "rendezvous/base/ids.h"

namespace muster::output {

enum class Stream { kOut, kErr };

std::string rank_directory(std::string_view directory, Attempt attempt, Rank rank);
std::string stream_file(std::string_view directory, Attempt attempt, Rank rank, Stream stream);

// The end of the name of a file for lines put aside: "attempt_0-rank_12.err", and with ".log" for
// those of a per-rank file.
std::string spill_name(Attempt attempt, Rank rank, Stream stream, bool of_file);

}  // namespace muster::output
