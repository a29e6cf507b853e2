// The --prewarm command's part of the agent: what it runs with, when it starts and when it ends.
#include <algorithm>
#include <utility>

#include "launcher/agent/node_agent.h"
#include "launcher/coordinator/agent_facts.h"
#include "launcher/plan/worker_environment.h"
#include "launcher/process/marker.h"

namespace muster::launcher {

namespace {

// Under memory pressure it goes before the workers, which have 100 more than the agent.
constexpr int kPrewarmOomBonus = 200;
constexpr int kMaxOomScore = 1000;
// From the stop to leaving without it: its grace of 1 s, and what SIGKILL takes. Agents have 2 s to
// leave.
constexpr Duration kPrewarmPatience{1'500};

}  // namespace

void NodeAgent::start_prewarm(const rendezvous::Roster& roster) {
  const GangBuilderOptions& own = options_.gangs;
  if (own.options.prewarm.empty() || value_of(own.task) != 0 || prewarm_) return;
  if (closing_ || finished_ || cancelled_by_) return;
  Result<process::SpawnPlan> plan = plan_prewarm(roster);
  if (!plan) return;  // the same facts make the coordinator end the job, and say why
  PrewarmOptions options;
  options.marker = process::beside_marker(own.marker);
  options.host = builder_.host();
  options.tells_success = host_ != nullptr;
  prewarm_ = std::make_unique<Prewarm>(loop_, std::move(options), std::move(*plan), &guardian_,
                                       [this](const std::string& line) { print(line); });
}

// As the first worker of this node would run, as far as that is known before there is a store.
Result<process::SpawnPlan> NodeAgent::plan_prewarm(const rendezvous::Roster& roster) const {
  const GangBuilderOptions& own = options_.gangs;
  MUSTER_TRY(job, plan_roster(roster, own.slots));
  const auto first = std::find_if(job.workers.begin(), job.workers.end(),
                                  [&own](const auto& worker) { return worker.node == own.node; });
  if (first == job.workers.end()) {
    return failure(ErrorCode::kNotFound, "no worker on " + builder_.host());
  }
  plan::AttemptFacts facts;
  facts.run_id = own.run_id;
  facts.role = own.options.role;
  facts.store = options::store_mode_of(own.options) == options::StoreMode::kAgent
                    ? plan::StoreMode::kAgent
                    : plan::StoreMode::kRank0;
  facts.marker = process::beside_marker(own.marker);
  Environment environment = plan::make_worker_environment(own.environment, job, *first, facts, "");
  environment.unset("MASTER_ADDR");
  environment.unset("MASTER_PORT");
  process::SpawnPlan plan;
  plan.program = "/bin/sh";
  plan.argv = {"sh", "-c", own.options.prewarm};
  plan.envp = environment.to_strings();
  plan.original = own.original;
  plan.oom_score_adj = std::min(kMaxOomScore, own.original.oom_score_adj + kPrewarmOomBonus);
  plan.low_priority = true;
  return plan;
}

// Under --exec nobody would be left to end it, and the program does not wait for it.
void NodeAgent::stop_prewarm() {
  if (prewarm_) prewarm_->stop(end_.exec);
}

void NodeAgent::finish_prewarm() {
  if (!prewarm_) return finish_output();
  stop_prewarm();
  prewarm_->await_end(kPrewarmPatience, [this](bool gone) {
    end_.clean = end_.clean && gone;  // else the guardian goes on
    // Not here: this runs inside a callback of what is being ended.
    asio::post(loop_, [this]() {
      prewarm_.reset();
      finish_output();
    });
  });
}

}  // namespace muster::launcher
