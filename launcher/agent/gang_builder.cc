#include "launcher/agent/gang_builder.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "collectives-bench/gang.h"
#include "launcher/coordinator/agent_facts.h"
#include "launcher/plan/worker_environment.h"
#include "rendezvous/group.h"
#include "slurm/worker_identity.h"

namespace muster::launcher {

namespace {

constexpr int kReportDescriptor = 3;
constexpr int kReportPipeBytes = 1 << 20;
// The kernel kills workers before the agent that could tell what happened.
constexpr int kWorkerOomBonus = 100;
constexpr int kMaxOomScore = 1000;

std::string own_descriptor_path(const Fd& fd) {
  return "/proc/" + std::to_string(::getpid()) + "/fd/" + std::to_string(fd.get());
}

std::string read_at_most(int fd, std::size_t limit, bool from_start) {
  std::string bytes(limit, '\0');
  std::size_t size = 0;
  while (size < limit) {
    char* const place = bytes.data() + size;
    const ssize_t got = from_start ? ::pread(fd, place, limit - size, static_cast<off_t>(size))
                                   : ::read(fd, place, limit - size);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    size += static_cast<std::size_t>(got);
  }
  bytes.resize(size);
  return bytes;
}

output::WorkerFields fields_of(const verdict::WorkerPlace& place) {
  output::WorkerFields fields;
  fields.local_rank = place.local_rank;
  fields.rank = place.rank;
  fields.host = place.host;
  return fields;
}

// A process that can take part in a check, and who starts it.
struct CheckProcess {
  rendezvous::ExpectedMember member;
  MemberIndex agent{};
};

// All of them, in the order of their numbers; see check_messages.h.
std::vector<CheckProcess> check_processes(const plan::JobPlan& job, bool one_per_node) {
  std::vector<CheckProcess> processes;
  if (one_per_node) {
    for (const plan::NodePlan& node : job.nodes) {
      processes.push_back({{node.node, LocalTask{0}, node.host}, node.first_agent});
    }
    return processes;
  }
  for (const plan::WorkerPlan& worker : job.workers) {
    processes.push_back(
        {{worker.node, LocalTask{value_of(worker.local_rank)}, job.node_of(worker).host},
         worker.agent});
  }
  return processes;
}

Result<std::vector<CheckProcess>> members_of(const CheckGroup& group,
                                             const std::vector<CheckProcess>& all) {
  std::vector<CheckProcess> members;
  for (const ProcessRange& range : group.members) {
    if (range.first > all.size() || range.count > all.size() - range.first) {
      return failure(ErrorCode::kProtocol, "check processes " + std::to_string(range.first) +
                                               " and " + std::to_string(range.count) + " on, of " +
                                               std::to_string(all.size()));
    }
    const auto first = all.begin() + range.first;
    members.insert(members.end(), first, first + range.count);
  }
  return members;
}

// The user's settings win.
Environment with_settings(Environment user, const std::vector<std::string>& settings) {
  for (const std::string& setting : settings) {
    const std::size_t equals = std::min(setting.find('='), setting.size());
    const std::string name = setting.substr(0, equals);
    if (equals < setting.size() && !user.has(name)) user.set(name, setting.substr(equals + 1));
  }
  return user;
}

}  // namespace

GangBuilder::GangBuilder(GangBuilderOptions options) : options_(std::move(options)) {}

Status GangBuilder::set_roster(const rendezvous::Roster& roster) {
  MUSTER_TRY(job, plan_roster(roster, options_.slots));
  roster_ = roster;
  job_ = std::move(job);
  // The roster may lack agents before us.
  for (const rendezvous::Member& member : roster.members) {
    const rendezvous::MemberDescription& who = member.description;
    if (who.node == options_.node && who.task == options_.task) self_ = member.index;
  }
  return {};
}

std::string GangBuilder::host() const {
  const std::size_t self = value_of(self_);
  return self < roster_.members.size() ? roster_.members[self].description.host : options_.host;
}

std::string GangBuilder::reachable(const std::string& address) const {
  // Tasks on the coordinator's own node meet it over loopback; the workers of one job should all
  // read the same address, one that the other nodes have reached.
  const bool is_loopback = address.rfind("127.", 0) == 0 || address == "::1";
  return address.empty() || is_loopback ? roster_.coordinator_address : address;
}

Result<GangPlan> GangBuilder::build_workers(const StartWorkers& order,
                                            const std::string& coordinator_address) {
  MUSTER_TRY(world, plan_roster(roster_, options_.slots, order.left_out));
  const plan::AttemptFacts facts = attempt_facts(order, coordinator_address);
  const Environment user = with_settings(options_.environment, order.environment);
  GangPlan gang;
  gang.attempt = order.attempt;
  for (const plan::WorkerPlan& worker : world.workers_of(self_)) {
    GangProcess process;
    process.place = {worker.rank, worker.local_rank, worker.node, host()};
    process.error_file.reset(::memfd_create("muster-error-file", MFD_CLOEXEC));
    if (!process.error_file.is_open()) return failure(system_error("memfd_create", errno));
    process::WorkerSpec spec;
    spec.local_rank = worker.local_rank;
    spec.label = "rank " + std::to_string(value_of(worker.rank));
    spec.plan = base_plan();
    spec.plan.program = options_.program;
    spec.plan.argv = options_.command;
    spec.plan.envp = plan::make_worker_environment(user, world, worker, facts,
                                                   own_descriptor_path(process.error_file))
                         .to_strings();
    spec.plan.oom_score_adj =
        std::min(kMaxOomScore, options_.original.oom_score_adj + kWorkerOomBonus);
    if (options_.options.stdin_rank == worker.rank) {
      spec.plan.fds.emplace_back(STDIN_FILENO, STDIN_FILENO);  // the others get /dev/null
      spec.plan.take_terminal = ::isatty(STDIN_FILENO) != 0;
    }
    gang.fields.push_back(fields_of(process.place));
    gang.processes.push_back(std::move(process));
    gang.specs.push_back(std::move(spec));
  }
  return gang;
}

Result<GangPlan> GangBuilder::build_check(const StartCheck& order, const std::string& address) {
  if (options_.bench_program.empty()) {
    return failure(ErrorCode::kNotFound, "muster-bench is not beside muster on " + host());
  }
  const std::vector<CheckProcess> all = check_processes(job_, order.one_per_node);
  GangPlan gang;
  gang.is_check = true;
  for (const CheckGroup& group : order.groups) {
    MUSTER_TRY(members, members_of(group, all));
    rendezvous::JoinOptions join;
    join.incarnation = options_.incarnation;
    join.incarnation.scope = check_scope(order.gang, group.number);
    for (const CheckProcess& process : members) join.expected.push_back(process.member);
    join.coordinator_hosts = {reachable(address)};
    join.ports = {group.port};
    join.authentication.method = rendezvous::AuthenticationMethod::kKey;
    join.authentication.key = order.key;
    for (std::uint32_t rank = 0; rank < members.size(); ++rank) {
      if (members[rank].agent != self_) continue;
      join.self.node = members[rank].member.node;
      join.self.task = members[rank].member.task;
      join.self.host = host();
      MUSTER_RETURN_IF_ERROR(
          add_check_process(gang, order, join, Rank{group.first_round_rank + rank}));
    }
  }
  return gang;
}

Status GangBuilder::add_check_process(GangPlan& gang, const StartCheck& order,
                                      const rendezvous::JoinOptions& join, Rank round_rank) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0) return failure(system_error("pipe", errno));
  GangProcess process;
  process.report.reset(ends[0]);
  Fd write_end(ends[1]);
  // A report larger than the pipe would block its writer; a smaller pipe is still enough for most.
  ::fcntl(ends[0], F_SETPIPE_SZ, kReportPipeBytes);
  process.place = {round_rank, LocalRank{value_of(join.self.task)}, join.self.node, host()};
  Environment environment = with_settings(options_.environment, order.environment);
  environment.unset("MUSTER_TOKEN");
  const std::vector<std::uint32_t> workers_per_node{1};
  slurm::tell_worker_identity(environment, {.rank = value_of(round_rank),
                                            .local_rank = 0,
                                            .node = 0,
                                            .workers_per_node = workers_per_node});
  const Environment group = rendezvous::group_environment(join);
  for (const auto& [name, value] : group.variables()) environment.set(name, value);
  environment.set(plan::kMarkerVariable, options_.marker);
  // libpsm2, which Debian's libfabric loads, would write a file into the working directory if the
  // process crashed.
  environment.set("HFI_NO_BACKTRACE", "1");
  environment.set("IPATH_NO_BACKTRACE", "1");
  process::WorkerSpec spec;
  spec.local_rank = process.place.local_rank;
  spec.label = "muster-bench rank " + std::to_string(value_of(round_rank));
  spec.plan = base_plan();
  spec.plan.program = options_.bench_program;
  spec.plan.argv = order.arguments;
  spec.plan.argv.insert(spec.plan.argv.begin(), "muster-bench");
  spec.plan.envp = environment.to_strings();
  spec.plan.fds.emplace_back(kReportDescriptor, write_end.get());
  gang.fields.push_back(fields_of(process.place));
  gang.spawn_only.push_back(std::move(write_end));
  gang.processes.push_back(std::move(process));
  gang.specs.push_back(std::move(spec));
  return {};
}

Result<WorkerLaunch> GangBuilder::build_exec(const BecomeProgram& order,
                                             const std::string& coordinator_address) {
  MUSTER_TRY(world, plan_roster(roster_, options_.slots, order.left_out));
  const auto workers = world.workers_of(self_);
  if (workers.size() != 1) {
    return failure(ErrorCode::kInvalidArgument,
                   "--exec needs one worker per agent, here are " + std::to_string(workers.size()) +
                       ": start as many tasks per node as workers, or leave --exec out");
  }
  WorkerLaunch launch;
  launch.program = options_.program;
  launch.argv = options_.command;
  const StartWorkers as_workers{{}, Attempt{0}, order.master_port, false, order.master_address};
  launch.envp = plan::make_worker_environment(
                    with_settings(options_.environment, order.environment), world, workers.front(),
                    attempt_facts(as_workers, coordinator_address), "")
                    .to_strings();
  return launch;
}

process::SpawnPlan GangBuilder::base_plan() const {
  process::SpawnPlan plan;
  plan.original = options_.original;
  return plan;
}

plan::AttemptFacts GangBuilder::attempt_facts(const StartWorkers& order,
                                              const std::string& coordinator_address) const {
  plan::AttemptFacts facts;
  facts.run_id = options_.run_id;
  facts.attempt = order.attempt;
  facts.max_restarts = options_.options.max_restarts;
  facts.role = options_.options.role;
  facts.master_address =
      reachable(order.master_address.empty() ? coordinator_address : order.master_address);
  facts.master_port = order.master_port;
  facts.store = order.agent_store ? plan::StoreMode::kAgent : plan::StoreMode::kRank0;
  facts.marker = options_.marker;
  return facts;
}

std::string GangBuilder::read_error_file(const GangProcess& process) {
  return read_at_most(process.error_file.get(), kMaxErrorFile, true);
}

std::string GangBuilder::read_report(const GangProcess& process) {
  std::string report = read_at_most(process.report.get(), kMaxReport, false);
  while (!report.empty() && report.back() == '\n') report.pop_back();
  return report;
}

}  // namespace muster::launcher
