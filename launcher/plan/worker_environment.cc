#include "launcher/plan/worker_environment.h"

#include <vector>

#include "slurm/worker_identity.h"

namespace muster::plan {

namespace {

template <class Number>
void set_number(Environment& environment, std::string_view name, Number value) {
  environment.set(name, std::to_string(value));
}

void set_if_absent(Environment& environment, std::string_view name, std::string_view value) {
  if (!environment.has(name)) environment.set(name, value);
}

// torchrun's names; the role is one for all workers, so that its ranks are the global ones.
void set_ranks(Environment& environment, const JobPlan& plan, const WorkerPlan& worker) {
  set_number(environment, "RANK", value_of(worker.rank));
  set_number(environment, "LOCAL_RANK", worker.device_rank);
  set_number(environment, "WORLD_SIZE", plan.world_size);
  set_number(environment, "LOCAL_WORLD_SIZE", plan.node_of(worker).shape.slots());
  set_number(environment, "GROUP_RANK", worker.group);
  set_number(environment, "GROUP_WORLD_SIZE", plan.nodes.size());
  set_number(environment, "ROLE_RANK", value_of(worker.rank));
  set_number(environment, "ROLE_WORLD_SIZE", plan.world_size);
}

void set_attempt(Environment& environment, const AttemptFacts& attempt) {
  environment.set("ROLE_NAME", attempt.role);
  environment.set("MASTER_ADDR", attempt.master_address);
  set_number(environment, "MASTER_PORT", attempt.master_port);
  environment.set("TORCHELASTIC_RUN_ID", attempt.run_id);
  set_number(environment, "TORCHELASTIC_RESTART_COUNT", value_of(attempt.attempt));
  set_number(environment, "TORCHELASTIC_MAX_RESTARTS", attempt.max_restarts);
  // PyTorch compares with exactly "True".
  environment.set("TORCHELASTIC_USE_AGENT_STORE",
                  attempt.store == StoreMode::kAgent ? "True" : "False");
}

// The agent's variables that would tell a worker something false or secret.
void tell_slurm_identity(Environment& environment, const JobPlan& plan, const WorkerPlan& worker) {
  std::vector<std::uint32_t> workers_per_node;
  workers_per_node.reserve(plan.nodes.size());
  for (const NodePlan& node : plan.nodes) workers_per_node.push_back(node.shape.slots());
  slurm::tell_worker_identity(environment, {.rank = value_of(worker.rank),
                                            .local_rank = value_of(worker.local_rank),
                                            .node = worker.group,
                                            .workers_per_node = workers_per_node});
}

}  // namespace

std::string marker_of(std::string_view run_id, MemberIndex agent, Attempt attempt,
                      std::string_view nonce) {
  return std::string(run_id) + " agent " + std::to_string(value_of(agent)) + " attempt " +
         std::to_string(value_of(attempt)) + " " + std::string(nonce);
}

std::string default_run_id(const slurm::Step& step) {
  return std::to_string(step.job) + "." + std::to_string(step.step) + "." +
         std::to_string(step.restart_count);
}

Environment make_worker_environment(const Environment& agent, const JobPlan& plan,
                                    const WorkerPlan& worker, const AttemptFacts& attempt,
                                    std::string_view error_file) {
  Environment environment = agent;
  environment.unset("MUSTER_TOKEN");
  tell_slurm_identity(environment, plan, worker);
  set_ranks(environment, plan, worker);
  set_attempt(environment, attempt);
  if (error_file.empty()) {
    environment.unset("TORCHELASTIC_ERROR_FILE");
  } else {
    environment.set("TORCHELASTIC_ERROR_FILE", error_file);
  }
  if (worker.visible_devices) environment.set("CUDA_VISIBLE_DEVICES", *worker.visible_devices);
  set_if_absent(environment, "TORCH_NCCL_ASYNC_ERROR_HANDLING", "1");
  if (plan.node_of(worker).shape.slots() > 1) set_if_absent(environment, "OMP_NUM_THREADS", "1");
  set_number(environment, "MUSTER_LOCAL_RANK", value_of(worker.local_rank));
  environment.set(kMarkerVariable, attempt.marker);
  return environment;
}

}  // namespace muster::plan
