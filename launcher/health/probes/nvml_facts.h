// Asks the GPU driver for all that the probes judge. May hang for ever on a sick driver: call it in
// a child process only (gather.h does).
#pragma once

#include <string>

#include "launcher/health/probes/health_facts.h"

namespace muster::health {

// Fills in gpus, driver_problem and the versions of driver and CUDA. What one driver does not have
// is a fact without a value. A GPU that the process may not open is left out.
void read_nvml_facts(const std::string& library, HealthFacts& facts);

}  // namespace muster::health
