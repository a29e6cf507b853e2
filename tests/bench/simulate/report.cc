#include "tests/bench/simulate/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace muster::simulate {

namespace {

// Of sorted values; 0 when there are none.
double quantile_ms(const std::vector<std::uint32_t>& sorted, double share) {
  if (sorted.empty()) return 0;
  const auto place = static_cast<std::size_t>(share * static_cast<double>(sorted.size() - 1));
  return sorted[place] / 1000.0;
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

const char* name_of(rendezvous::AuthenticationMethod method) {
  switch (method) {
    case rendezvous::AuthenticationMethod::kNone:
      return "none";
    case rendezvous::AuthenticationMethod::kKey:
      return "key";
    case rendezvous::AuthenticationMethod::kMunge:
      return "munge";
  }
  return "?";
}

}  // namespace

std::string lines_of(const Options& options, const std::vector<StepTimes>& steps) {
  std::string text = fmt::format("{} agents in {} processes, auth {}{}\n", options.agents,
                                 options.processes, name_of(options.method),
                                 options.wants_roster ? ", each with the whole roster" : "");
  text += fmt::format("{:<12}{:>10}{:>10}{:>10}{:>12}{:>16}{:>16}\n", "step", "p50 ms", "p99 ms",
                      "max ms", "total ms", "server cpu ms", "agents cpu ms");
  for (const StepTimes& step : steps) {
    std::vector<std::uint32_t> us = step.us;
    std::sort(us.begin(), us.end());
    text += fmt::format("{:<12}{:>10.1f}{:>10.1f}{:>10.1f}{:>12.1f}{:>16.1f}{:>16.1f}",
                        name_of(step.step), quantile_ms(us, 0.5), quantile_ms(us, 0.99),
                        quantile_ms(us, 1), median(step.total_ms), step.coordinator_cpu_ms,
                        step.agents_cpu_ms);
    if (step.failed > 0) text += fmt::format("  FAILED {}: {}", step.failed, step.first_error);
    text += "\n";
  }
  return text;
}

std::string json_of(const Options& options, const std::vector<StepTimes>& steps) {
  nlohmann::json json = {{"agents", options.agents},
                         {"processes", options.processes},
                         {"auth", name_of(options.method)},
                         {"roster", options.wants_roster},
                         {"facts", options.facts},
                         {"bytes", options.bytes},
                         {"delay_ms", options.delay.count()},
                         {"late", options.late},
                         {"drop", options.drop},
                         {"rounds", options.rounds}};
  for (const StepTimes& step : steps) {
    std::vector<std::uint32_t> us = step.us;
    std::sort(us.begin(), us.end());
    json["steps"][name_of(step.step)] = {{"p50_ms", quantile_ms(us, 0.5)},
                                         {"p99_ms", quantile_ms(us, 0.99)},
                                         {"max_ms", quantile_ms(us, 1)},
                                         {"total_ms", median(step.total_ms)},
                                         {"server_cpu_ms", step.coordinator_cpu_ms},
                                         {"agents_cpu_ms", step.agents_cpu_ms},
                                         {"failed", step.failed}};
  }
  return json.dump() + "\n";
}

}  // namespace muster::simulate
