// The text of --dry-run: nodes, agents, ranks, devices, command and environment. Pure.
#pragma once

#include <string>
#include <vector>

#include "launcher/plan/job_plan.h"
#include "rendezvous/base/environment.h"

namespace muster::plan {

struct DryRun {
  std::string title;  // "job 4242, step 0", "standalone"
  JobPlan plan;
  std::vector<std::string> command;
  Environment agent;   // the environment muster was started with
  Environment worker;  // the environment of rank 0
};

// Neighbouring nodes that differ only in name and ranks share a line, so that 512 equal nodes are
// one. Of the environment only what muster sets or removes is listed.
std::string print_plan(const DryRun& run);

// One word for a shell: quoted where it must be.
std::string quote_for_shell(std::string_view word);

}  // namespace muster::plan
