// Runs the commands of slurm/node_actions.h, for --drain. A shell: blocks while they run, each at
// most `limit`; without a shell of the system's, each in a child process that is killed when late.
#pragma once

#include <string>
#include <vector>

#include "launcher/process/original_limits.h"
#include "rendezvous/base/environment.h"
#include "rendezvous/base/time.h"
#include "slurm/node_actions.h"

namespace muster::history {

inline constexpr Duration kCommandLimit{10'000};
inline constexpr std::size_t kMaxComplaint = 300;  // characters told of what a command printed

// One line a command, in their order: "drain: scontrol update ...: done", or with what went wrong:
// "...: exit code 1: slurm_update error: Invalid user id". argv[0] is looked for in the
// environment's PATH. A command that fails does not keep the next one from running.
std::vector<std::string> run_node_commands(const std::vector<slurm::NodeCommand>& commands,
                                           const Environment& environment,
                                           const process::OriginalLimits& original,
                                           Duration limit = kCommandLimit);

}  // namespace muster::history
