#include "slurm/step.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <optional>
#include <string_view>
#include <utility>

#include "slurm/hostlist.h"
#include "slurm/ports.h"
#include "slurm/scanner.h"
#include "slurm/task_counts.h"

namespace muster::slurm {

namespace {

constexpr std::uint64_t kMaxId = std::numeric_limits<std::uint32_t>::max();
constexpr std::string_view kStartWithSrun = "start muster with srun: `srun muster PROGRAM`";

Error wrong(std::string message) {
  return Error(ErrorCode::kInvalidArgument, std::move(message));
}

std::string quantity(std::uint64_t count, std::string_view noun) {
  return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

// Slurm has two spellings of some names; older scripts know only the second.
std::optional<std::string_view> first_of(const Environment& environment, std::string_view name,
                                         std::string_view older_name) {
  const auto value = environment.get(name);
  return value ? value : environment.get(older_name);
}

Result<std::uint64_t> read_number(std::string_view name, std::string_view text,
                                  std::uint64_t limit) {
  Scanner scanner(name, text);
  MUSTER_TRY(value, scanner.number("a number", limit));
  if (!scanner.at_end()) return failure(scanner.expected("the end of the number"));
  return value;
}

Result<std::string_view> require(const Environment& environment, std::string_view name) {
  const auto value = environment.get(name);
  if (value && !value->empty()) return *value;
  return failure(wrong(std::string(name) + (value ? " is empty" : " is not set") +
                       ", although this is a step of a Slurm job: srun sets it in every task; "
                       "do not unset or overwrite SLURM_ variables, and " +
                       std::string(kStartWithSrun)));
}

Result<std::uint32_t> require_number(const Environment& environment, std::string_view name) {
  MUSTER_TRY(text, require(environment, name));
  MUSTER_TRY(value, read_number(name, text, kMaxId));
  return static_cast<std::uint32_t>(value);
}

// ", whose 4 nodes would each ..." needs the job's size; the job-wide variable is right for that.
std::uint64_t nodes_of_job(const Environment& environment) {
  const std::string_view text =
      first_of(environment, "SLURM_JOB_NUM_NODES", "SLURM_NNODES").value_or("");
  return read_number("SLURM_JOB_NUM_NODES", text, kMaxHosts).value_or(0);
}

Error not_under_srun(const Environment& environment, std::string_view where, bool on_a_node) {
  const std::uint64_t nodes = nodes_of_job(environment);
  std::string message =
      "muster runs in " + std::string(where) + " of job " +
      std::string(first_of(environment, "SLURM_JOB_ID", "SLURM_JOBID").value_or("?"));
  if (nodes > 1) {
    message += ", which has " + quantity(nodes, "node") + "; only one of them would train";
  }
  message += ": " + std::string(kStartWithSrun);
  if (nodes == 1 && on_a_node) {
    message += ", or `muster --standalone PROGRAM` for this node alone";
  }
  return wrong(message);
}

Result<std::uint32_t> parse_step_id(const Environment& environment) {
  const auto text = first_of(environment, "SLURM_STEP_ID", "SLURM_STEPID");
  if (!text) {
    // slurmd sets SLURMD_NODENAME and SLURM_PROCID for the batch script; the command of an salloc
    // has neither, it runs where salloc runs.
    const bool on_a_node = environment.has("SLURMD_NODENAME") || environment.has("SLURM_PROCID");
    return failure(not_under_srun(environment, on_a_node ? "the batch script" : "a shell (salloc)",
                                  on_a_node));
  }
  MUSTER_TRY(id, read_number("SLURM_STEP_ID", *text, kMaxId));
  if (id >= kFirstSpecialStep) {
    return failure(not_under_srun(environment, "an interactive shell (salloc)", true));
  }
  return static_cast<std::uint32_t>(id);
}

Status check_distinct(const std::vector<std::string>& hosts) {
  std::vector<std::string_view> sorted(hosts.begin(), hosts.end());
  std::sort(sorted.begin(), sorted.end());
  const auto twin = std::adjacent_find(sorted.begin(), sorted.end());
  if (twin == sorted.end()) return {};
  return failure(wrong("SLURM_STEP_NODELIST names host " + std::string(*twin) +
                       " twice; expected distinct hosts"));
}

// A count that Slurm tells twice; the second telling may be absent.
Status check_same(const Environment& environment, std::string_view name, std::uint64_t counted,
                  std::string_view source) {
  const auto text = environment.get(name);
  if (!text) return {};
  MUSTER_TRY(told, read_number(name, *text, kMaxId));
  if (told == counted) return {};
  return failure(wrong(std::string(name) + " is " + std::to_string(told) + ", but " +
                       std::string(source) + " makes " + std::to_string(counted) +
                       "; do not overwrite SLURM_ variables inside a step"));
}

Status parse_layout(const Environment& environment, Step& step) {
  MUSTER_TRY(nodes, require(environment, "SLURM_STEP_NODELIST"));
  MUSTER_TRY(counts, require(environment, "SLURM_STEP_TASKS_PER_NODE"));
  auto hosts = expand_hostlist(nodes);
  if (!hosts) return failure(hosts.error().within("SLURM_STEP_NODELIST"));
  auto tasks = expand_task_counts(counts);
  if (!tasks) return failure(tasks.error().within("SLURM_STEP_TASKS_PER_NODE"));
  step.hosts = std::move(*hosts);
  step.tasks_per_node = std::move(*tasks);
  if (step.hosts.size() != step.tasks_per_node.size()) {
    return failure(wrong("SLURM_STEP_NODELIST names " + quantity(step.hosts.size(), "node") +
                         ", but SLURM_STEP_TASKS_PER_NODE '" + std::string(counts) + "' counts " +
                         quantity(step.tasks_per_node.size(), "node")));
  }
  MUSTER_RETURN_IF_ERROR(check_distinct(step.hosts));
  MUSTER_RETURN_IF_ERROR(
      check_same(environment, "SLURM_STEP_NUM_NODES", step.hosts.size(), "SLURM_STEP_NODELIST"));
  return check_same(environment, "SLURM_STEP_NUM_TASKS", step.total_tasks(),
                    "SLURM_STEP_TASKS_PER_NODE");
}

Status check_below(std::string_view name, std::uint64_t value, std::uint64_t bound,
                   std::string_view of) {
  if (value < bound) return {};
  return failure(wrong(std::string(name) + " is " + std::to_string(value) + ", but " +
                       std::string(of) + "; expected 0 to " + std::to_string(bound - 1)));
}

// Where this task stands in the layout that was read before.
Status parse_place(const Environment& environment, Step& step) {
  MUSTER_TRY(node, require_number(environment, "SLURM_NODEID"));
  MUSTER_TRY(local_task, require_number(environment, "SLURM_LOCALID"));
  MUSTER_TRY(proc_id, require_number(environment, "SLURM_PROCID"));
  MUSTER_RETURN_IF_ERROR(
      check_below("SLURM_NODEID", node, step.hosts.size(),
                  "SLURM_STEP_NODELIST names " + quantity(step.hosts.size(), "node")));
  step.node = NodeIndex{node};
  step.local_task = LocalTask{local_task};
  step.proc_id = proc_id;
  MUSTER_RETURN_IF_ERROR(
      check_below("SLURM_LOCALID", local_task, step.tasks_on_this_node(),
                  step.host() + " has " + quantity(step.tasks_on_this_node(), "task")));
  MUSTER_RETURN_IF_ERROR(check_below("SLURM_PROCID", proc_id, step.total_tasks(),
                                     "the step has " + quantity(step.total_tasks(), "task")));
  // A copied environment (ssh, an exported file) makes every node the same node.
  const auto name = environment.get("SLURMD_NODENAME");
  if (name && *name != step.host()) {
    return failure(wrong("SLURMD_NODENAME is " + std::string(*name) + ", but SLURM_NODEID " +
                         std::to_string(node) + " of SLURM_STEP_NODELIST is " + step.host() +
                         ": the SLURM_ variables come from another task; " +
                         std::string(kStartWithSrun)));
  }
  return {};
}

Result<std::vector<std::uint16_t>> parse_reserved_ports(const Environment& environment) {
  const std::string_view text = environment.get("SLURM_STEP_RESV_PORTS").value_or("");
  if (text == "(null)") return std::vector<std::uint16_t>();  // Slurm's word for an absent text
  auto ports = expand_ports(text);
  if (!ports) return failure(ports.error().within("SLURM_STEP_RESV_PORTS"));
  return ports;
}

}  // namespace

std::uint32_t Step::total_tasks() const {
  return std::accumulate(tasks_per_node.begin(), tasks_per_node.end(), std::uint32_t{0});
}

bool is_slurm_job(const Environment& environment) {
  return environment.has("SLURM_JOB_ID") || environment.has("SLURM_JOBID") ||
         environment.has("SLURM_STEP_ID") || environment.has("SLURM_PROCID");
}

Result<Step> parse_step(const Environment& environment) {
  const auto job = first_of(environment, "SLURM_JOB_ID", "SLURM_JOBID");
  if (!job) {
    return failure(
        wrong("SLURM_JOB_ID is not set, so this is no Slurm job: " + std::string(kStartWithSrun) +
              ", or `muster --standalone PROGRAM` for this machine alone"));
  }
  Step step;
  MUSTER_TRY(job_id, read_number("SLURM_JOB_ID", *job, std::numeric_limits<std::uint64_t>::max()));
  MUSTER_TRY(step_id, parse_step_id(environment));
  MUSTER_TRY(restarts, read_number("SLURM_RESTART_COUNT",
                                   environment.get("SLURM_RESTART_COUNT").value_or("0"), kMaxId));
  step.job = job_id;
  step.step = step_id;
  step.restart_count = static_cast<std::uint32_t>(restarts);
  step.job_name = environment.get_or("SLURM_JOB_NAME", "");
  MUSTER_RETURN_IF_ERROR(parse_layout(environment, step));
  MUSTER_RETURN_IF_ERROR(parse_place(environment, step));
  MUSTER_TRY(ports, parse_reserved_ports(environment));
  step.reserved_ports = std::move(ports);
  return step;
}

}  // namespace muster::slurm
