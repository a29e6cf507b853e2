// `muster hostnames [--] EXPR...`: what `scontrol show hostnames` prints, for containers that have
// no scontrol. Pure.
#pragma once

#include <string>
#include <vector>

#include "rendezvous/base/environment.h"
#include "rendezvous/base/result.h"

namespace muster::slurm {

// One name a line, the lists in the order given. Without a list SLURM_JOB_NODELIST is taken, as
// scontrol does. Unlike scontrol's, a malformed list is an error and nothing is printed.
Result<std::string> print_hostnames(const std::vector<std::string>& lists,
                                    const Environment& environment);

}  // namespace muster::slurm
