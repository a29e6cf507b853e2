// GangBuilder: turns the coordinator's orders into processes to start: arguments, environment,
// descriptors. Makes pipes and memory files; starts nothing; touches no file system.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "launcher/coordinator/messages.h"
#include "launcher/options/options.h"
#include "launcher/output/carrier.h"
#include "launcher/plan/job_plan.h"
#include "launcher/plan/worker_environment.h"
#include "launcher/process/gang.h"
#include "launcher/process/original_limits.h"
#include "rendezvous/base/environment.h"
#include "rendezvous/base/fd.h"
#include "rendezvous/group.h"
#include "rendezvous/types.h"

namespace muster::launcher {

// What is known before the loop starts, file system looked at.
struct GangBuilderOptions {
  Environment environment;  // the user's, as muster got it
  options::Options options;
  std::vector<std::string> command;  // the program's argv; command[0] as the user wrote it
  std::string program;               // its path
  std::string bench_program;         // path of muster-bench; "" when it is not installed
  std::string marker;
  std::string run_id;
  std::string host;
  plan::SlotWish slots;
  rendezvous::Incarnation incarnation;
  process::OriginalLimits original;
  NodeIndex node{};
  LocalTask task{};
};

// One process of a gang and what the agent keeps of it.
struct GangProcess {
  verdict::WorkerPlace place;
  Fd error_file;  // workers: a memory file that TORCHELASTIC_ERROR_FILE names
  Fd report;      // check processes: read end of the report pipe
};

struct GangPlan {
  std::vector<process::WorkerSpec> specs;
  std::vector<GangProcess> processes;  // same order as specs
  std::vector<output::WorkerFields> fields;
  Attempt attempt{};
  bool is_check = false;
  std::vector<Fd> spawn_only;  // descriptors that the children inherit; close after the start
};

// For --exec.
struct WorkerLaunch {
  std::string program;
  std::vector<std::string> argv;
  std::vector<std::string> envp;
};

class GangBuilder {
 public:
  explicit GangBuilder(GangBuilderOptions options);

  // Fixes ranks for the whole job. Errors: the facts of the members contradict each other.
  Status set_roster(const rendezvous::Roster& roster);

  // `coordinator_address`: numeric, the one by which this agent reached the coordinator's node;
  // the workers' MASTER_ADDR when rank 0 is there.
  Result<GangPlan> build_workers(const StartWorkers& order, const std::string& coordinator_address);
  Result<GangPlan> build_check(const StartCheck& order, const std::string& address);
  Result<WorkerLaunch> build_exec(const BecomeProgram& order,
                                  const std::string& coordinator_address);

  // What a worker wrote to its error file; at most kMaxErrorFile bytes.
  static std::string read_error_file(const GangProcess& process);
  // What a check process wrote to its report pipe, read without blocking after its end.
  static std::string read_report(const GangProcess& process);

  std::string host() const;

 private:
  Status add_check_process(GangPlan& gang, const StartCheck& order,
                           const rendezvous::JoinOptions& join, Rank round_rank);
  process::SpawnPlan base_plan() const;
  plan::AttemptFacts attempt_facts(const StartWorkers& order,
                                   const std::string& coordinator_address) const;
  // The agent in the coordinator's own process has no address for it: then the roster's.
  std::string reachable(const std::string& address) const;

  GangBuilderOptions options_;
  rendezvous::Roster roster_;
  MemberIndex self_{};  // ours in the roster
  plan::JobPlan job_;   // of all nodes; that of a world may leave some out
};

}  // namespace muster::launcher
