#include "launcher/options/flags.h"

#include <algorithm>
#include <array>
#include <numeric>

#include "launcher/options/apply.h"

namespace muster::options {
namespace {

constexpr auto kMuster = FlagOrigin::kMuster;
constexpr auto kTorchrun = FlagOrigin::kTorchrun;
constexpr auto kAccepted = FlagTreatment::kAccepted;
constexpr auto kIgnored = FlagTreatment::kIgnored;
constexpr auto kRefused = FlagTreatment::kRefused;

// Several rows share it, so that one note covers them all.
constexpr std::string_view kOwnRendezvous =
    "muster meets by a rendezvous of its own; see --assemble-deadline";

// clang-format off
constexpr FlagRow kRows[] = {
    {"check", 0, "MODE", kMuster, kAccepted, false, "which check runs before the start: auto, nccl, fabric or off (default auto)", apply::check},
    {"check-min-busbw", 0, "GBPS", kMuster, kAccepted, false, "stop when the all-reduce over all nodes has less bus bandwidth, in GB/s", apply::check_min_busbw},
    {"check-sizes", 0, "LIST", kMuster, kAccepted, false, "message sizes of the check, which grow by one factor, such as 64K,1M,16M (default: the backend's)", apply::check_sizes},
    {"check-deadline", 0, "SECONDS", kMuster, kAccepted, false, "end of the measurement of all nodes, finished or not, and again of the search for culprits (default 5m)", apply::check_deadline},
    {"record-baseline", 0, "FILE", kMuster, kAccepted, false, "write what this machine reaches, if it is found fit, as a profile that later runs are held to", apply::record_baseline},
    {"nodes", 0, "N", kMuster, kAccepted, false, "nodes that the program runs on; those of the step beyond them are spares, and unfit nodes stay out", apply::world_nodes},
    {"spares", 0, "K", kMuster, kAccepted, false, "the same from the other end: all nodes of the step but K", apply::spares},
    {"profile", 0, "NAME", kMuster, kAccepted, false, "what the machine should have and reach: a profile's name, an instance type or a .yaml file (default: by the machine's type, else generic)", apply::profile},
    {"json", 0, "FILE", kMuster, kAccepted, false, "of `muster check`: all that it found, as JSON", apply::json},
    {"html", 0, "FILE", kMuster, kAccepted, false, "of `muster check`: the same as one HTML page", apply::html},
    {"health-only", 0, "", kMuster, kAccepted, false, "of `muster check`: the probes of this node alone, without meeting the others; for a prolog", apply::health_only},
    {"node-memory", 0, "FILE", kMuster, kAccepted, false, "a file in a shared folder that remembers unfit nodes from job to job, so that they are suspected first (default: MUSTER_NODE_MEMORY)", apply::node_memory},
    {"drain", 0, "", kMuster, kAccepted, false, "when nodes are unfit, run the scontrol commands that are otherwise only printed", apply::drain},
    {"prewarm", 0, "CMD", kMuster, kAccepted, false, "a shell command that every node runs once, at low priority, while probes and check run, such as 'python3 -c \"import torch\"'; it neither delays nor fails the job", apply::prewarm},
    {"store", 0, "WHERE", kMuster, kAccepted, false, "who serves PyTorch's store: agent, that of rank 0, or rank0, the program itself (default agent)", apply::store},
    {"store-admission", 0, "WHOM", kMuster, kAccepted, false, "who may use the agent's store: uid, the job's user on the job's nodes; node, anyone there; open, anyone (default uid)", apply::store_admission},
    {"exec", 0, "", kMuster, kAccepted, false, "after the check the agent becomes the program, unsupervised; one worker per agent", apply::exec},
    {"dry-run", 0, "", kMuster, kAccepted, false, "print the plan (nodes, agents, ranks, environment) and end", apply::dry_run},
    {"assemble-deadline", 0, "SECONDS", kMuster, kAccepted, false, "how long to wait for all nodes (default 10m)", apply::assemble_deadline},
    {"stop-grace", 0, "SECONDS", kMuster, kAccepted, false, "from the first stop signal to SIGKILL (default 15)", apply::stop_grace},
    {"stdin", 0, "RANK", kMuster, kAccepted, false, "that worker reads muster's standard input; the others read /dev/null", apply::stdin_rank},
    {"output", 0, "WHERE", kMuster, kAccepted, false, "where workers' lines go: console, files or both (default console)", apply::output},
    {"prefix", 0, "TEXT", kMuster, kAccepted, false, "what stands before a line: none, or a text with ${host}, ${rank}, ${local_rank}, ${role_name} (default '[${host} ${rank}] ')", apply::prefix},
    {"interface", 0, "NAME", kMuster, kAccepted, false, "network interface that the fabric check measures (default: the one that reaches the peers)", apply::interface},
    {"help", 'h', "", kMuster, kAccepted, false, "print the options and end", apply::help},
    {"version", 'V', "", kMuster, kAccepted, false, "print the version and end", apply::version},

    {"nnodes", 0, "N[:MAX]", kTorchrun, kAccepted, true, "compared with the step's nodes; a mismatch is an error; with MIN:MAX a node that is lost while the agents gather, or has not come 30 s after MIN are there, is done without (never less than a majority of the nodes)", apply::nodes},
    {"nproc-per-node", 0, "N", kTorchrun, kAccepted, true, "workers of this node, all its tasks together: a number, gpu, cpu or auto; nodes may be given different ones", apply::workers_per_node},
    {"rdzv-backend", 0, "NAME", kTorchrun, kIgnored, true, kOwnRendezvous, nullptr},
    {"rdzv-endpoint", 0, "HOST[:PORT]", kTorchrun, kIgnored, true, kOwnRendezvous, nullptr},
    {"rdzv-id", 0, "ID", kTorchrun, kAccepted, true, "the run id that workers see (default: from job, step and restart count)", apply::run_id},
    {"rdzv-conf", 0, "LIST", kTorchrun, kIgnored, true, kOwnRendezvous, nullptr},
    {"standalone", 0, "", kTorchrun, kAccepted, true, "one node, without Slurm", apply::standalone},
    {"max-restarts", 0, "N", kTorchrun, kAccepted, true, "times that all workers start anew after a failure, counted for the whole job (default: 0)", apply::max_restarts},
    {"monitor-interval", 0, "SECONDS", kTorchrun, kIgnored, true, "muster is told of a worker's end at once and polls nothing", nullptr},
    {"start-method", 0, "NAME", kTorchrun, kIgnored, true, "muster starts programs, not Python functions", nullptr},
    {"event-log-handler", 0, "NAME", kTorchrun, kIgnored, true, "it names a Python logging handler; muster has no Python", nullptr},
    {"role", 0, "NAME", kTorchrun, kAccepted, true, "ROLE_NAME of the workers (default: default)", apply::role},
    {"module", 'm', "", kTorchrun, kAccepted, true, "the program is a Python module", apply::module},
    {"no-python", 0, "", kTorchrun, kAccepted, true, "execute the program as it is, even a .py", apply::no_python},
    {"run-path", 0, "", kTorchrun, kAccepted, true, "the program is a Python script, whatever its name", apply::run_path},
    {"log-dir", 0, "DIR", kTorchrun, kAccepted, true, "where --output=files|both writes, each step in a folder JOB.STEP.RESTARTS of its own (default muster-logs)", apply::log_dir},
    {"redirects", 'r', "STREAMS", kTorchrun, kAccepted, true, "3 means --output=files; 1, 2 and lists by local rank mean --output=both, with a note", apply::redirects},
    {"tee", 't', "STREAMS", kTorchrun, kAccepted, true, "anything but 0 means --output=both", apply::tee},
    {"local-ranks-filter", 0, "LIST", kTorchrun, kIgnored, true, "all ranks print; --output=files gives a file per rank", nullptr},
    {"duplicate-stdout-filters", 0, "LIST", kTorchrun, kIgnored, true, "muster writes no filtered copies; search the files of --output=files", nullptr},
    {"duplicate-stderr-filters", 0, "LIST", kTorchrun, kIgnored, true, "muster writes no filtered copies; search the files of --output=files", nullptr},
    {"log-line-prefix-template", 0, "TEXT", kTorchrun, kAccepted, false, "the same as --prefix", apply::prefix},
    {"logs-specs", 0, "NAME", kTorchrun, kIgnored, false, "it names a Python plug-in; see --output and --log-dir", nullptr},
    {"node-rank", 0, "N", kTorchrun, kAccepted, true, "muster knows it; a number that contradicts Slurm's is an error", apply::node_rank},
    {"master-addr", 0, "HOST", kTorchrun, kIgnored, true, "each worker gets the address by which its node reaches rank 0's", nullptr},
    {"master-port", 0, "PORT", kTorchrun, kAccepted, true, "MASTER_PORT of the workers (default: a free port chosen by muster)", apply::master_port},
    {"local-addr", 0, "HOST", kTorchrun, kIgnored, true, "muster finds the addresses that the nodes reach", nullptr},
    {"numa-binding", 0, "HOW", kTorchrun, kIgnored, false, "muster does not bind workers by NUMA node yet", nullptr},
    {"signals-to-handle", 0, "LIST", kTorchrun, kIgnored, true, "SIGTERM and SIGINT stop; SIGHUP, SIGUSR1 and SIGUSR2 are passed on and stop nothing", nullptr},
    {"shutdown-timeout", 0, "SECONDS", kTorchrun, kAccepted, true, "the same as --stop-grace", apply::stop_grace},
    {"virtual-local-rank", 0, "", kTorchrun, kRefused, true, "workers have their real LOCAL_RANK and see all their node's GPUs; leave the flag out and choose the GPU by LOCAL_RANK", nullptr},
};
// clang-format on

char same_dash(char letter) {
  return letter == '_' ? '-' : letter;
}

bool same_name(std::string_view left, std::string_view right) {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return same_dash(a) == same_dash(b); });
}

// Levenshtein's distance, one row of the matrix at a time.
std::size_t distance(std::string_view left, std::string_view right) {
  std::vector<std::size_t> row(right.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < left.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < right.size(); ++j) {
      const std::size_t change = diagonal + (same_dash(left[i]) == same_dash(right[j]) ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({change, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string_view to_string(FlagTreatment treatment) {
  switch (treatment) {
    case FlagTreatment::kAccepted:
      return "accepted";
    case FlagTreatment::kIgnored:
      return "ignored";
    case FlagTreatment::kRefused:
      return "refused";
  }
  return "";
}

std::span<const FlagRow> flag_table() {
  return kRows;
}

const FlagRow* find_flag(std::string_view name) {
  const auto row =
      std::ranges::find_if(kRows, [name](const FlagRow& r) { return same_name(r.name, name); });
  return row == std::end(kRows) ? nullptr : row;
}

const FlagRow* find_flag(char letter) {
  if (letter == 0) return nullptr;
  const auto row = std::ranges::find(kRows, letter, &FlagRow::letter);
  return row == std::end(kRows) ? nullptr : row;
}

std::string_view nearest_flag(std::string_view name) {
  constexpr std::size_t kLongestName = 64;  // nothing longer is near; bounds the work
  if (name.size() < 2 || name.size() > kLongestName) return "";
  for (const FlagRow& row : kRows) {
    if (same_name(row.name.substr(0, name.size()), name)) return row.name;
  }
  const auto nearest = std::ranges::min_element(
      kRows, {}, [name](const FlagRow& row) { return distance(row.name, name); });
  const std::size_t limit = std::max<std::size_t>(1, name.size() / 3);
  return distance(nearest->name, name) <= limit ? nearest->name : std::string_view();
}

std::string pet_variable(const FlagRow& row) {
  std::string name = "PET_";
  for (const char letter : row.name) {
    name += letter == '-' ? '_' : static_cast<char>(letter - 'a' + 'A');
  }
  return name;
}

}  // namespace muster::options
