// The environments that a real Slurm gave to tasks, read from tests/slurm/fixtures. Aborts the test
// when a file is missing. How they were captured: fixtures/capture.
#pragma once

#include <map>
#include <string_view>

#include "rendezvous/base/environment.h"

namespace muster::slurm {

// Task number (SLURM_PROCID; 0 for a shell) to its environment.
std::map<unsigned, Environment> load_fixture(std::string_view shape);

}  // namespace muster::slurm
