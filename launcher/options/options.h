// Options: what the user asked `muster` for, as a value. Pure: reads no environment, prints
// nothing.
//
//   muster [run] [options] [--] program args...
//   muster check [options]
//   muster hostnames [--] EXPRESSION
//   muster help | version
//
// The first word that is no option begins the program; everything after it belongs to the program.
// torchrun's flags and PET_ variables are understood too, each accepted, ignored with a note, or
// refused: the table is in flags.h. The command line wins over a PET_ variable.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rendezvous/base/environment.h"
#include "rendezvous/base/ids.h"
#include "rendezvous/base/result.h"
#include "rendezvous/base/time.h"

namespace muster::options {

enum class Command { kRun, kCheck, kHostnames, kVersion, kHelp };

enum class ProgramKind {
  kByName,      // words[0] ends in .py: a Python script; anything else is executed as it is
  kScript,      // --run-path: a Python script whatever its name
  kModule,      // -m: words[0] is a Python module
  kExecutable,  // --no-python: executed as it is, even a .py
};

struct Program {
  ProgramKind kind = ProgramKind::kByName;
  std::vector<std::string> words;  // program and its arguments; empty only when nothing is run

  bool operator==(const Program&) const = default;
};

// --nproc-per-node: how many workers a node runs, all its agents together.
struct WorkersPerNode {
  enum class Wish { kAbsent, kNumber, kGpu, kCpu, kAuto };
  Wish wish = Wish::kAbsent;
  std::uint32_t count = 0;  // for kNumber, at least 1

  bool operator==(const WorkersPerNode&) const = default;
};
std::string to_string(const WorkersPerNode& workers);  // "8", "gpu", "absent"

// --nnodes=N or MIN:MAX. Compared with the step: Slurm decides how many nodes there are. Fewer than
// `minimum` never make a world.
struct NodeCountWish {
  std::uint32_t minimum = 1;
  std::uint32_t maximum = 1;
  std::string source;  // "--nnodes=4" or "PET_NNODES=4", for messages

  bool operator==(const NodeCountWish&) const = default;
};

struct NodeRankWish {
  std::uint32_t rank = 0;
  std::string source;  // "--node-rank=0" or "PET_NODE_RANK=0"

  bool operator==(const NodeRankWish&) const = default;
};

enum class CheckMode { kAuto, kNccl, kFabric, kOff };
std::string_view to_string(CheckMode mode);

struct CheckOptions {
  CheckMode mode = CheckMode::kAuto;
  std::optional<double> min_busbw_gbps;  // gigabytes (1e9) a second; absent: nothing gates on speed
  std::vector<std::uint64_t> sizes;      // bytes, ascending as given; empty: the backend's default
  Duration deadline = std::chrono::minutes(5);

  bool operator==(const CheckOptions&) const = default;
};

enum class OutputTarget { kConsole, kFiles, kBoth };
std::string_view to_string(OutputTarget target);

struct OutputOptions {
  OutputTarget target = OutputTarget::kConsole;
  std::string log_dir = "muster-logs";  // of files; relative to the working directory
  // A template with ${host}, ${rank}, ${local_rank}, ${role_name}; "" for none; absent: the
  // default.
  std::optional<std::string> prefix;

  bool operator==(const OutputOptions&) const = default;
};

// Who serves PyTorch's store.
enum class StoreMode {
  kAgent,  // the agent of rank 0, and every rank is a client
  kRank0,  // the program's own rank 0
};
std::string_view to_string(StoreMode mode);

// Whom the agent's store serves; its protocol has no place for a secret.
enum class AdmissionMode {
  kUid,   // connections that the job's user owns on a node of the step
  kNode,  // connections from a node of the step
  kOpen,  // anyone who reaches the port
};
std::string_view to_string(AdmissionMode mode);

struct Options {
  Command command = Command::kRun;
  Program program;    // kRun
  std::string hosts;  // kHostnames: the expression
  WorkersPerNode workers_per_node;
  std::optional<NodeCountWish> nodes;
  std::optional<NodeRankWish> node_rank;
  CheckOptions check;
  OutputOptions output;
  bool standalone = false;  // one node, no Slurm
  bool exec = false;        // the agent becomes the program after the check
  bool dry_run = false;     // print the plan and end
  Duration assemble_deadline = std::chrono::minutes(10);
  Duration stop_grace = std::chrono::seconds(15);  // from the first signal to SIGKILL
  std::uint32_t max_restarts = 0;                  // of all workers, after a failure
  std::optional<StoreMode> store;                  // absent: see store_mode_of
  AdmissionMode admission = AdmissionMode::kUid;   // to the agent's store
  std::optional<Rank> stdin_rank;                  // that worker reads muster's stdin
  std::string interface;                           // "": chosen by muster
  std::optional<std::uint16_t> master_port;        // absent: chosen by muster
  std::string run_id;                              // "": chosen from job, step and restart count
  std::string role = "default";                    // ROLE_NAME of the workers
  std::string profile;                             // name or file; "": the machine's
  std::string record_baseline;                     // file; "": nothing is recorded
  std::optional<std::uint32_t> world_nodes;        // that the program runs on; absent: all
  std::optional<std::uint32_t> spares;             // nodes of the step beyond these
  std::string json;                                // kCheck: where its document goes; "": nowhere
  std::string html;                                // kCheck: where its page goes; "": nowhere
  bool health_only = false;                        // kCheck: this node's probes, nobody is met
  std::string node_memory;                         // file that remembers unfit nodes; "": none
  bool drain = false;                              // tell Slurm of unfit nodes
  std::string prewarm;                             // kRun: a shell command; "": none

  bool operator==(const Options&) const = default;
};

// The store of the workers: the agent's, or with --exec, where no agent stays, rank 0's own.
StoreMode store_mode_of(const Options& options);

struct Parsed {
  Options options;
  std::vector<std::string> notes;  // one line each, for the user, to be printed once per step

  bool operator==(const Parsed&) const = default;
};

inline constexpr std::size_t kMaxWords = 65536;  // words of a command line
inline constexpr std::uint32_t kMaxWorkersPerNode = 1024;
inline constexpr std::size_t kMaxCheckSizes = 64;

// `words` without the program's own name; of `environment` only PET_ variables and
// MUSTER_NODE_MEMORY are read. Errors are one line: what was given, what was expected, what to
// write instead.
Result<Parsed> parse_command_line(std::span<const std::string> words,
                                  const Environment& environment);

// What the step says of itself, as far as a wish of the command line can contradict it.
struct StepFacts {
  std::uint32_t node_count = 1;
  NodeIndex node{};
  std::uint32_t proc_id = 0;
};

// Refuses --nnodes, --nodes and --spares that the step does not fulfil, printing the numbers, and
// --node-rank that contradicts the node (what a variable expanded before srun gives).
Status check_against_step(const Options& options, const StepFacts& facts);

// How many of the step's nodes the program runs on; nothing for all. After check_against_step.
std::optional<std::uint32_t> world_nodes_of(const Options& options, std::uint32_t node_count);

// One screen: usage, options in groups, examples. Ends in a newline.
std::string help_text();

}  // namespace muster::options
