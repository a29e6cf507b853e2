// Report: the times of all agents, step by step, as lines for people and as JSON.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tests/bench/simulate/channel.h"
#include "tests/bench/simulate/options.h"

namespace muster::simulate {

struct StepTimes {
  Step step{};
  std::vector<std::uint32_t> us;  // of every agent and round
  std::vector<double> total_ms;   // from the order to the last agent, each round
  std::uint32_t failed = 0;
  std::string first_error;
  double coordinator_cpu_ms = 0;  // of the server's process, all rounds
  double agents_cpu_ms = 0;       // of all processes of agents
};

std::string lines_of(const Options& options, const std::vector<StepTimes>& steps);
std::string json_of(const Options& options, const std::vector<StepTimes>& steps);

}  // namespace muster::simulate
