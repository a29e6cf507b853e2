// JobSetup: from environment and options to everything an agent needs to run. Looks at the file
// system and the CPU mask, chooses authentication and ports; starts nothing.
#pragma once

#include <string>
#include <vector>

#include "launcher/agent/node_agent.h"
#include "launcher/history/after_job.h"
#include "launcher/options/options.h"
#include "launcher/output/carrier.h"
#include "rendezvous/base/environment.h"
#include "rendezvous/base/result.h"
#include "slurm/step.h"

namespace muster::launcher {

struct JobSetup {
  NodeAgentOptions agent;
  output::OutputOptions output;
  history::AfterJob after;         // what to do with a verdict once the loop has ended
  std::vector<std::string> notes;  // of node 0's lead agent, for the user
};

// The step of Slurm, or the one node of --standalone. Errors say what to write instead.
Result<slurm::Step> find_step(const Environment& environment, const options::Options& options);

// What an agent goes by whose command line was refused: it joins with that as its error, and waits
// for the others, as any, until --assemble-deadline, which it takes to be the default.
options::Options options_of_refused();

// `refusal`: why the command line was refused, for options_of_refused(), else "". `marker` is the
// value of MUSTER_MARKER for all processes of this agent.
Result<JobSetup> set_up_job(const slurm::Step& step, const Environment& environment,
                            const options::Options& options, const std::string& refusal,
                            const process::OriginalLimits& original, const std::string& marker);

// The text of --dry-run, from what this task alone can know.
Result<std::string> print_dry_run(const slurm::Step& step, const Environment& environment,
                                  const options::Options& options);

}  // namespace muster::launcher
