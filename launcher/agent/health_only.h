// `muster check --health-only`: the probes of this node alone, without a rendezvous; for a prolog.
#pragma once

#include <string>

#include "collectives-bench/profile/profile.h"
#include "launcher/options/options.h"
#include "rendezvous/base/environment.h"
#include "rendezvous/base/result.h"

namespace muster::launcher {

// The profile that was asked for, else that of the machine, else one that expects nothing.
// Errors: the one that was asked for is not there or is broken. Reads small files.
Result<bench::Profile> find_profile(const Environment& environment,
                                    const options::Options& options);

// Prints the probes to stdout, writes the JSON document where one is wanted, and gives the exit
// code. Blocks for less than 5 s, whatever hangs.
int run_health_only(const Environment& environment, const options::Options& options);

}  // namespace muster::launcher
