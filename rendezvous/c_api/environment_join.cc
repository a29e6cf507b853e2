#include "rendezvous/c_api/environment_join.h"

#include <string>

#include "rendezvous/ports.h"
#include "slurm/step.h"

namespace muster::rendezvous {

namespace {

Result<EnvironmentJoin> join_prepared_group(const Environment& environment, std::string_view name) {
  MUSTER_TRY(options, join_options_from(environment));
  if (!name.empty()) {
    options.incarnation.scope += "." + std::string(name);
    options.ports = candidate_ports(options.incarnation, {});
  }
  return EnvironmentJoin{std::move(options), std::nullopt};
}

JoinOptions options_of(const slurm::Step& step, std::string scope) {
  JoinOptions options;
  options.incarnation = {step.job, step.step, step.restart_count, std::move(scope)};
  options.self.node = step.node;
  options.self.task = step.local_task;
  options.self.host = step.host();
  for (std::uint32_t node = 0; node < step.hosts.size(); ++node) {
    for (std::uint32_t task = 0; task < step.tasks_per_node[node]; ++task)
      options.expected.push_back({NodeIndex{node}, LocalTask{task}, step.hosts[node]});
  }
  options.coordinator_hosts = {step.hosts.front()};
  options.ports = candidate_ports(options.incarnation, step.reserved_ports);
  options.host_server = value_of(step.node) == 0 && value_of(step.local_task) == 0;
  return options;
}

}  // namespace

Result<std::string> scope_of(std::string_view name) {
  if (name.size() > kMaxMeetingName)
    return failure(ErrorCode::kLimit, "the meeting's name has " + std::to_string(name.size()) +
                                          " bytes; at most " + std::to_string(kMaxMeetingName) +
                                          " are taken");
  return "program" + (name.empty() ? "" : "." + std::string(name));
}

Result<EnvironmentJoin> plan_environment_join(const Environment& environment,
                                              const AuthenticationFacts& facts,
                                              std::string_view name) {
  MUSTER_TRY(scope, scope_of(name));
  if (environment.has("MUSTER_GROUP_ID")) return join_prepared_group(environment, name);
  if (!slurm::is_slurm_job(environment))
    return failure(ErrorCode::kNotFound,
                   "the environment names no group: start the program with srun, or call "
                   "muster_join with options");
  const bool in_a_step = environment.has("SLURM_STEP_ID") || environment.has("SLURM_STEPID");
  if (!in_a_step)
    return failure(ErrorCode::kInvalidArgument,
                   "this process runs in a Slurm job, but in none of its steps: start it with "
                   "srun, so that every task becomes a member");
  MUSTER_TRY(step, slurm::parse_step(environment));
  EnvironmentJoin join{options_of(step, std::move(scope)), step.proc_id};
  MUSTER_TRY(authentication, choose_authentication(environment, facts));
  join.options.authentication = std::move(authentication);
  return join;
}

}  // namespace muster::rendezvous
