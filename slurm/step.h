// Step: what Slurm told this task about its step, read from SLURM_* variables. Pure.
//
// Only the step's own variables are believed (SLURM_STEP_NODELIST, SLURM_STEP_TASKS_PER_NODE,
// SLURM_NODEID, SLURM_LOCALID, SLURM_PROCID); the job-wide ones lie inside a step on part of the
// job, and SLURM_NTASKS_PER_NODE is inherited from sbatch and lies anywhere.
//
// Nothing is assumed about the order of tasks: with a cyclic or arbitrary distribution task 0 need
// not be on the first node, and task numbers of a node need not follow each other.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rendezvous/base/environment.h"
#include "rendezvous/base/ids.h"
#include "rendezvous/base/result.h"

namespace muster::slurm {

// Step ids from here up are not numbered steps: the batch script, an salloc shell, the external
// step that holds ssh sessions.
inline constexpr std::uint32_t kFirstSpecialStep = 0xfffffff0;

struct Step {
  std::uint64_t job = 0;
  std::uint32_t step = 0;
  std::uint32_t restart_count = 0;            // grows at each requeue; step ids then start again
  std::vector<std::string> hosts;             // expanded SLURM_STEP_NODELIST; place = NodeIndex
  std::vector<std::uint32_t> tasks_per_node;  // same order and length as hosts
  NodeIndex node{};
  LocalTask local_task{};
  std::uint32_t proc_id = 0;                  // SLURM_PROCID; not a rank
  std::vector<std::uint16_t> reserved_ports;  // SLURM_STEP_RESV_PORTS, may be empty
  std::string job_name;

  std::uint32_t total_tasks() const;
  const std::string& host() const { return hosts[value_of(node)]; }
  std::uint32_t tasks_on_this_node() const { return tasks_per_node[value_of(node)]; }
  bool operator==(const Step&) const = default;
};

// True when any variable says that a Slurm job is around (a batch script or salloc shell included).
bool is_slurm_job(const Environment& environment);

// Errors name the variable, what it held, what was expected and what to write instead: started in
// the batch script without srun; in an salloc shell; a variable that is missing, malformed or
// contradicts another.
Result<Step> parse_step(const Environment& environment);

}  // namespace muster::slurm
