// The health's part of the agent: a look at the node, taken by a child with a deadline.
#include <sys/resource.h>

#include <utility>

#include "collectives-bench/report.h"
#include "launcher/agent/node_agent.h"
#include "launcher/health/gpu_probe.h"
#include "launcher/health/probes/compare.h"
#include "launcher/health/probes/node_looks.h"

namespace muster::launcher {

namespace {

// In the child. What a worker may open and lock is asked for, not what this agent gave itself.
void restore_limits(const process::OriginalLimits& original) {
  for (const process::ResourceLimit& one : original.limits) {
    ::setrlimit(static_cast<__rlimit_resource>(one.resource), &one.limit);
  }
}

std::int64_t wall_clock_us() {
  return std::chrono::duration_cast<std::chrono::microseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

std::vector<std::string> settings_of(const Environment& environment) {
  health::NodeFacts node;
  add_settings(environment.variables(), node);
  std::vector<std::string> settings;
  for (const auto& [name, value] : node.facts) settings.push_back(name + "=" + value);
  return settings;
}

}  // namespace

void NodeAgent::look_at_node(const LookAtNode& order) {
  const std::int64_t heard_us = wall_clock_us();
  if (!looks_) {
    health::NodeLooksOptions options;
    options.look.library = health::gpu_probe_options(options_.gangs.environment).library;
    options.prepare = [this]() { restore_limits(options_.gangs.original); };
    looks_ = std::make_unique<health::NodeLooks>(loop_, std::move(options));
  }
  looks_->look([this, id = order.look, heard_us](const Result<std::string>& facts) {
    on_looked(id, heard_us, facts);
  });
}

// So that a log shows whether training uses what was measured.
void NodeAgent::note_check(const std::string& report) {
  const Result<bench::RankReport> parsed = bench::parse_report(report);
  if (!parsed || parsed->backend != "nccl") return;
  checked_ = {parsed->library, parsed->path};
}

void NodeAgent::on_looked(LookId look, std::int64_t heard_us, const Result<std::string>& facts) {
  NodeLooked answer;
  answer.look = look;
  answer.settings = settings_of(options_.gangs.environment);
  if (facts) {
    answer.facts = *facts;
  } else {
    answer.problem = "the look " + facts.error().message();
  }
  answer.heard_us = heard_us;
  answer.answered_us = wall_clock_us();
  tell(answer);
}

}  // namespace muster::launcher
