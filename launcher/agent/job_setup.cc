#include "launcher/agent/job_setup.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "collectives-bench/profile/job_environment.h"
#include "collectives-bench/profile/profile_files.h"
#include "launcher/agent/health_only.h"
#include "launcher/agent/interface_addresses.h"
#include "launcher/agent/node_facts.h"
#include "launcher/agent/version.h"  // generated
#include "launcher/agent/writable_places.h"
#include "launcher/history/cluster_facts.h"
#include "launcher/history/node_memory.h"
#include "launcher/options/exit_codes.h"
#include "launcher/plan/command.h"
#include "launcher/plan/print_plan.h"
#include "launcher/plan/worker_environment.h"
#include "rendezvous/authentication.h"
#include "rendezvous/helper_process.h"
#include "rendezvous/ports.h"
#include "rendezvous/random.h"
#include "rendezvous/succession.h"
#include "slurm/terminal.h"

namespace muster::launcher {

namespace {

constexpr std::size_t kStandaloneKeyBytes = 32;
constexpr Duration kListenLonger{5'000};

plan::SlotWish slots_of(const options::Options& options) {
  using Wish = options::WorkersPerNode::Wish;
  plan::SlotWish slots;
  slots.count = options.workers_per_node.count;
  switch (options.workers_per_node.wish) {
    case Wish::kAbsent:
      slots.source = plan::SlotSource::kDefault;
      break;
    case Wish::kNumber:
      slots.source = plan::SlotSource::kCount;
      break;
    case Wish::kGpu:
      slots.source = plan::SlotSource::kGpus;
      break;
    case Wish::kCpu:
      slots.source = plan::SlotSource::kCores;
      break;
    case Wish::kAuto:
      slots.source = plan::SlotSource::kAuto;
      break;
  }
  return slots;
}

Result<std::vector<std::string>> command_of(const options::Options& options,
                                            const Environment& environment) {
  using Kind = options::ProgramKind;
  plan::ProgramStart start = plan::ProgramStart::kByName;
  if (options.program.kind == Kind::kScript) start = plan::ProgramStart::kScript;
  if (options.program.kind == Kind::kModule) start = plan::ProgramStart::kModule;
  if (options.program.kind == Kind::kExecutable) start = plan::ProgramStart::kExecutable;
  return plan::make_command(start, options.program.words, environment);
}

rendezvous::Incarnation incarnation_of(const slurm::Step& step) {
  return {step.job, step.step, step.restart_count, ""};
}

std::vector<rendezvous::ExpectedMember> expected_agents(const slurm::Step& step) {
  std::vector<rendezvous::ExpectedMember> expected;
  for (std::uint32_t node = 0; node < step.hosts.size(); ++node) {
    for (std::uint32_t task = 0; task < step.tasks_per_node[node]; ++task) {
      expected.push_back({NodeIndex{node}, LocalTask{task}, step.hosts[node]});
    }
  }
  return expected;
}

bool can_bind(std::uint16_t port) {
  const Fd socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.is_open()) return false;
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_ANY);
  return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
}

// For rank 0's own store. It binds the port some seconds later, so one outside the ephemeral range
// that is free now; the next one is left free too, since programs open a second store there.
Result<std::uint16_t> choose_master_port(const rendezvous::Incarnation& incarnation,
                                         const options::Options& options) {
  if (options.master_port) return *options.master_port;
  rendezvous::Incarnation store = incarnation;
  store.scope = "store";
  for (const std::uint16_t port : rendezvous::candidate_ports(store, {})) {
    if (can_bind(port) && can_bind(static_cast<std::uint16_t>(port + 1))) return port;
  }
  return failure(ErrorCode::kUnavailable,
                 "no free port for MASTER_PORT among the candidates; give one by --master-port");
}

Result<rendezvous::Authentication> authentication_of(const Environment& environment,
                                                     bool standalone) {
  if (standalone) {
    rendezvous::Authentication alone;
    alone.method = rendezvous::AuthenticationMethod::kKey;
    alone.key = rendezvous::random_bytes(kStandaloneKeyBytes);
    return alone;
  }
  return rendezvous::choose_authentication(environment,
                                           rendezvous::find_authentication_facts(environment));
}

CoordinatorOptions coordinator_options(const options::Options& options) {
  CoordinatorOptions coordinator;
  coordinator.check = options.check.mode;
  coordinator.check_min_busbw = options.check.min_busbw_gbps;
  coordinator.check_deadline = options.check.deadline;
  coordinator.check_spec.interface = options.interface;
  const std::vector<std::uint64_t>& sizes = options.check.sizes;
  if (!sizes.empty()) {
    bench::SizeRange range;
    range.min_bytes = sizes.front();
    range.max_bytes = sizes.back();
    range.factor = sizes.size() > 1 ? std::max<std::uint64_t>(2, sizes[1] / sizes[0]) : 0;
    coordinator.check_sizes = range;
  }
  coordinator.record_baseline = !options.record_baseline.empty();
  coordinator.max_restarts = options.max_restarts;
  coordinator.stop_grace = options.stop_grace;
  coordinator.exec_program = options.exec;
  coordinator.check_only = options.command == options::Command::kCheck;
  coordinator.store = options::store_mode_of(options);
  coordinator.admission = options.admission;
  coordinator.master_port = options.master_port.value_or(0);
  coordinator.slots = slots_of(options);
  if (!coordinator.check_only) coordinator.stdin_rank = options.stdin_rank;
  return coordinator;
}

// Without a check a start costs nothing that nobody asked for.
Status add_profile(const Environment& environment, const options::Options& options,
                   CoordinatorOptions& coordinator) {
  coordinator.profile.name = bench::kGenericProfile;
  if (options.check.mode == CheckMode::kOff && options.profile.empty()) return {};
  Result<bench::Profile> profile = find_profile(environment, options);
  if (!profile) return failure(profile.error());
  coordinator.profile = std::move(*profile);
  if (coordinator.profile.name == bench::kGenericProfile) return {};
  bench::JobEnvironment chosen = bench::choose_job_environment(coordinator.profile, environment);
  for (const bench::EnvironmentSetting& setting : chosen.added) {
    coordinator.job_environment.push_back(setting.name + "=" + setting.value);
  }
  coordinator.environment_lines = std::move(chosen.lines);
  return {};
}

void set_usage_error(const std::string& text, AgentFacts& facts) {
  facts.error = text;
  facts.error_exit_code = static_cast<std::uint32_t>(options::to_int(ExitCode::kUsage));
}

AgentFacts facts_of_refused() {
  AgentFacts facts;
  facts.version = kVersion;
  return facts;
}

void find_profile_error(const Status& added, AgentFacts& facts) {
  if (added || !facts.error.empty()) return;
  set_usage_error(added.error().message(), facts);
}

history::AfterJob after_job(const slurm::Step& step, const options::Options& options) {
  history::AfterJob after;
  after.memory_file = options.node_memory;
  after.drain = options.drain;
  after.job = std::to_string(step.job) + "." + std::to_string(step.step);
  after.cluster = history::find_cluster_facts(options.standalone ? 0 : step.job);
  return after;
}

// What cannot be remembered keeps no job from running. Blocks for at most history::kReadLimit.
void recall_nodes(const options::Options& options, CoordinatorOptions& coordinator,
                  std::vector<std::string>& notes) {
  if (options.node_memory.empty() || options.check.mode == CheckMode::kOff) return;
  Result<history::Records> memory = history::recall(options.node_memory);
  if (!memory) {
    notes.push_back("ignoring the node memory: " + memory.error().message());
    return;
  }
  coordinator.node_memory = std::move(memory->records);
  if (memory->skipped == 0) return;
  notes.push_back("node memory " + options.node_memory + ": skipped " +
                  std::to_string(memory->skipped) + " lines that are no records");
}

bool wants_colour(const Environment& environment, const options::Options& options) {
  if (::isatty(STDOUT_FILENO) == 0 || environment.get_or("TERM", "") == "dumb" ||
      !environment.get_or("NO_COLOR", "").empty()) {
    return false;
  }
  return options.standalone || slurm::has_terminal_of_user(environment);
}

// A folder of its own for each step, as each run of torchrun has: jobs that share a working
// directory would mix their lines.
std::string log_folder(const slurm::Step& step, const options::Options& options) {
  return options.output.log_dir + "/" + plan::default_run_id(step);
}

output::OutputOptions output_options(const slurm::Step& step, const Environment& environment,
                                     const options::Options& options) {
  output::OutputOptions output;
  if (options.output.prefix) output.prefix = *options.output.prefix;
  output.colour = wants_colour(environment, options);
  output.directory = log_folder(step, options);
  output.route.console = options.output.target != options::OutputTarget::kFiles;
  output.route.file = options.output.target != options::OutputTarget::kConsole;
  const std::string temporary = environment.get_or("TMPDIR", "");
  const bool is_there = temporary.starts_with("/") && ::access(temporary.c_str(), W_OK) == 0;
  output.spill.path = (is_there ? temporary : "/tmp") + "/muster-" + plan::default_run_id(step) +
                      "-" + std::to_string(::getpid()) + "-";
  output.spill.host = step.host();
  return output;
}

// A program that this node does not have is said once, by the coordinator, for all to hear.
void resolve_program(GangBuilderOptions& gangs, AgentFacts& facts) {
  const std::string path = gangs.environment.get_or("PATH", "");
  Result<std::string> program = process::resolve_program(gangs.command.front(), path);
  if (program) {
    gangs.program = std::move(*program);
    return;
  }
  facts.error = program.error().message();
  const std::string& name = gangs.command.front();
  if (program.error().code() == ErrorCode::kNotFound && name.find('/') == std::string::npos &&
      ::access(name.c_str(), F_OK) == 0) {
    facts.error += "; write ./" + name + " for the one in the working directory";
  }
  facts.error_exit_code = static_cast<std::uint32_t>(
      options::to_int(program.error().code() == ErrorCode::kNotFound ? ExitCode::kNotFound
                                                                     : ExitCode::kCannotExecute));
}

// Wishes that contradict this task's place, a program that is not here: the agent joins all the
// same, and the coordinator ends the job with this error instead of waiting for an agent that never
// comes.
void find_own_errors(const slurm::Step& step, const options::Options& options,
                     GangBuilderOptions& gangs, AgentFacts& facts) {
  if (!facts.error.empty()) return;
  const auto nodes = static_cast<std::uint32_t>(step.hosts.size());
  const Status fits = options::check_against_step(options, {nodes, step.node, step.proc_id});
  if (fits && options.command == options::Command::kCheck) return;
  Result<std::vector<std::string>> command = command_of(options, gangs.environment);
  if (fits && command) {
    gangs.command = std::move(*command);
    return resolve_program(gangs, facts);
  }
  set_usage_error(fits ? command.error().message() : fits.error().message(), facts);
}

// As with a program that is not here.
void find_place_errors(const slurm::Step& step, const options::Options& options,
                       AgentFacts& facts) {
  if (!facts.error.empty()) return;
  const bool is_measured = options.check.mode != CheckMode::kOff && step.hosts.size() > 1;
  Status places = is_measured ? check_interface(options.interface) : Status();
  if (places) {
    const bool writes_results = step.node == NodeIndex{0} && step.local_task == LocalTask{0};
    places = prepare_places(options, log_folder(step, options), writes_results);
  }
  if (places) return;
  set_usage_error(places.error().message(), facts);
}

rendezvous::SessionOptions session_options(const slurm::Step& step, const options::Options& options,
                                           const AgentFacts& facts,
                                           rendezvous::Authentication authentication) {
  rendezvous::SessionOptions session;
  session.incarnation = incarnation_of(step);
  session.self.node = step.node;
  session.self.task = step.local_task;
  session.self.host = step.host();
  session.self.pid = static_cast<std::uint32_t>(::getpid());
  session.self.facts = encode(facts);
  const std::size_t successors =
      std::min<std::size_t>(step.hosts.size(), rendezvous::kMaxSuccessors);
  for (std::uint32_t node = 0; node < successors; ++node)
    session.successors.push_back({NodeIndex{node}, {step.hosts[node]}});
  if (step.local_task == LocalTask{0} && value_of(step.node) < successors)
    session.place = value_of(step.node);
  session.ports = rendezvous::candidate_ports(session.incarnation, step.reserved_ports);
  session.authentication = std::move(authentication);
  // A little longer than the coordinator waits, so that its word on who is missing arrives.
  session.deadline = options.assemble_deadline + kListenLonger;
  return session;
}

// A spare may be missing; nodes of the world may where the user said so.
std::uint32_t minimum_nodes(const options::Options& options, std::uint32_t nodes) {
  std::uint32_t minimum = options::world_nodes_of(options, nodes).value_or(nodes);
  if (options.nodes) minimum = std::min(minimum, options.nodes->minimum);
  return minimum < nodes ? minimum : 0;
}

Result<CoordinatorHostOptions> host_options(const slurm::Step& step,
                                            const options::Options& options,
                                            CoordinatorOptions coordinator,
                                            const rendezvous::SessionOptions& session) {
  CoordinatorHostOptions host;
  host.server.incarnation = session.incarnation;
  host.server.node = step.node;
  host.server.expected = expected_agents(step);
  const auto nodes = static_cast<std::uint32_t>(step.hosts.size());
  host.server.minimum_nodes = minimum_nodes(options, nodes);
  host.server.ports = session.ports;
  if (options.standalone) host.server.bind_address = "127.0.0.1";
  host.server.authentication = session.authentication;
  host.server.assembly_deadline = options.assemble_deadline;
  host.coordinator = std::move(coordinator);
  host.coordinator.world_nodes = options::world_nodes_of(options, nodes);
  host.coordinator.job = std::to_string(step.job) + "." + std::to_string(step.step);
  host.coordinator.started =
      std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  if (host.coordinator.store == options::StoreMode::kRank0) {
    MUSTER_TRY(port, choose_master_port(session.incarnation, options));
    host.coordinator.master_port = port;
  }
  return host;
}

}  // namespace

Result<slurm::Step> find_step(const Environment& environment, const options::Options& options) {
  if (options.standalone) {
    slurm::Step step;
    step.job = static_cast<std::uint64_t>(::getpid());
    step.hosts = {"localhost"};
    step.tasks_per_node = {1};
    return step;
  }
  if (!slurm::is_slurm_job(environment)) {
    return failure(
        ErrorCode::kInvalidArgument,
        "no SLURM_ variables here: start it by srun, as in `srun muster train.py`, or on "
        "this one machine by `muster --standalone train.py`");
  }
  return slurm::parse_step(environment);
}

options::Options options_of_refused() {
  options::Options options;
  options.check.mode = CheckMode::kOff;
  return options;
}

Result<JobSetup> set_up_job(const slurm::Step& step, const Environment& environment,
                            const options::Options& options, const std::string& refusal,
                            const process::OriginalLimits& original, const std::string& marker) {
  // Without its helper no agent can prove itself or look up a name: better said before joining.
  MUSTER_RETURN_IF_ERROR(rendezvous::find_helper_program(environment));
  JobSetup setup;
  const std::string own_program = own_program_path();
  GangBuilderOptions& gangs = setup.agent.gangs;
  gangs.environment = environment;
  gangs.options = options;
  gangs.bench_program = find_bench_program(own_program);
  gangs.marker = marker;
  gangs.run_id = options.run_id.empty() ? plan::default_run_id(step) : options.run_id;
  gangs.host = step.host();
  gangs.slots = slots_of(options);
  gangs.incarnation = incarnation_of(step);
  gangs.original = original;
  gangs.node = step.node;
  gangs.task = step.local_task;
  AgentFacts facts =
      refusal.empty() ? find_node_facts(environment, own_program) : facts_of_refused();
  facts.slots = gangs.slots;
  if (value_of(step.local_task) == 0) facts.addresses = interface_addresses();
  if (!refusal.empty()) set_usage_error(refusal, facts);
  find_own_errors(step, options, gangs, facts);
  find_place_errors(step, options, facts);
  CoordinatorOptions coordinator = coordinator_options(options);
  coordinator.told_error = refusal;
  const bool may_coordinate =
      value_of(step.local_task) == 0 && value_of(step.node) < rendezvous::kMaxSuccessors;
  if (may_coordinate) {
    find_profile_error(add_profile(environment, options, coordinator), facts);
    recall_nodes(options, coordinator, setup.notes);
    setup.after = after_job(step, options);
    coordinator.cluster = setup.after.cluster;
  }
  if (value_of(step.node) != 0) setup.notes.clear();  // every successor reads the same file
  MUSTER_TRY(authentication, authentication_of(environment, options.standalone));
  setup.agent.session = session_options(step, options, facts, std::move(authentication));
  setup.agent.stop_grace = options.stop_grace;
  if (setup.agent.session.place) {
    MUSTER_TRY(host, host_options(step, options, std::move(coordinator), setup.agent.session));
    setup.agent.coordinator = std::move(host);
  }
  setup.output = output_options(step, environment, options);
  return setup;
}

Result<std::string> print_dry_run(const slurm::Step& step, const Environment& environment,
                                  const options::Options& options) {
  const AgentFacts facts = find_node_facts(environment, own_program_path());
  plan::DryRun run;
  run.title = options.standalone
                  ? "standalone, one node"
                  : "job " + std::to_string(step.job) + ", step " + std::to_string(step.step);
  const auto nodes = static_cast<std::uint32_t>(step.hosts.size());
  MUSTER_RETURN_IF_ERROR(options::check_against_step(options, {nodes, step.node, step.proc_id}));
  MUSTER_TRY(command, command_of(options, environment));
  run.command = std::move(command);
  MUSTER_TRY(job, plan::plan_job(plan::assume_agents(step, facts.resources), slots_of(options)));
  run.plan = std::move(job);
  run.agent = environment;
  plan::AttemptFacts attempt;
  attempt.run_id = options.run_id.empty() ? plan::default_run_id(step) : options.run_id;
  attempt.role = options.role;
  attempt.master_address = "(chosen at start)";
  attempt.master_port = options.master_port.value_or(0);
  attempt.store = options::store_mode_of(options) == options::StoreMode::kAgent
                      ? plan::StoreMode::kAgent
                      : plan::StoreMode::kRank0;
  attempt.marker = "(unique per agent)";
  run.worker = plan::make_worker_environment(environment, run.plan, run.plan.workers.front(),
                                             attempt, "(a memory file)");
  if (!options.master_port) run.worker.set("MASTER_PORT", "(chosen at start)");
  return plan::print_plan(run);
}

}  // namespace muster::launcher
