// The program `muster`: reads its words and environment, runs what they ask for.
#pragma once

#include <string>
#include <vector>

#include "rendezvous/base/environment.h"

namespace muster::launcher {

// `words` without argv[0]. Returns the exit code (launcher/options/exit_codes.h); does not return
// when --exec replaced the process by the program.
int run_program(const std::vector<std::string>& words, const Environment& environment);

}  // namespace muster::launcher
