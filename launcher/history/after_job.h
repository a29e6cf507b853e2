// What is done with a verdict when the job is over: the node memory gets it, and with --drain
// Slurm. A shell: blocks, at most kWriteLimit and kCommandLimit for each command. For processes
// whose loop has ended.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "launcher/history/verdict_record.h"
#include "launcher/process/original_limits.h"
#include "rendezvous/base/environment.h"
#include "slurm/node_actions.h"

namespace muster::history {

struct AfterJob {
  std::string memory_file;  // "": nothing is remembered
  bool drain = false;       // run the commands
  std::string job;          // "4711.0"
  slurm::ClusterFacts cluster;
};

// Lines for the user: each command with its outcome, and what could not be remembered.
std::vector<std::string> act_on_unfit(const std::vector<UnfitRecord>& unfit, const AfterJob& wishes,
                                      std::chrono::sys_seconds now, const Environment& environment,
                                      const process::OriginalLimits& original);

}  // namespace muster::history
