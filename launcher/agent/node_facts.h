// What an agent finds out about its node before it joins. A shell: reads the file system and the
// CPU mask, asks the GPU driver (health/gpu_probe.h); called before the loop starts.
#pragma once

#include <string>

#include "launcher/coordinator/agent_facts.h"
#include "rendezvous/base/environment.h"

namespace muster::launcher {

// The program's own file with links resolved; "" when /proc is not there.
std::string own_program_path();

// "" when muster-bench does not stand beside `own_program`.
std::string find_bench_program(const std::string& own_program);

// What is wrong with the node's GPUs goes to stderr, one line each: a problem of the driver by the
// lead agent alone, one of a single GPU by every agent that reaches it. `proc_root`: for tests.
AgentFacts find_node_facts(const Environment& environment, const std::string& own_program,
                           const std::string& proc_root = "/proc");

}  // namespace muster::launcher
