#include "collectives-bench/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <array>
#include <cstdint>

#include "collectives-bench/slot.h"

namespace muster::bench {

namespace {

constexpr std::uint32_t kMaxIterations = 1'000'000;
constexpr std::uint64_t kUsualBytes = std::uint64_t{32} << 20;
constexpr std::uint32_t kMaxDeadlineSeconds = 24 * 3600;

// What CLI11 fills before it becomes BenchOptions.
struct RawOptions {
  BenchOptions options;
  std::string operation;
  std::string split = "none";
  std::string transport = "tagged";
  std::string min_bytes = "32M";
  std::string max_bytes;
  std::string step_bytes;
  std::string data_type = "float";
  std::string reduction = "sum";
  std::uint32_t threads = 1;
  std::uint32_t deadline_seconds = 600;
  int report_fd = -1;
  std::uint32_t times_each = 1;
  std::vector<std::string> foreign;  // values of kForeign, in its order; "" where not given
};

// Options of nccl-tests that are not ours. One is accepted with its harmless value; with another it
// is ignored with a note, or refused.
struct ForeignOption {
  const char* names;
  const char* harmless;
  bool ignored;
  const char* text;  // why, or what to write instead
};

constexpr std::array kForeign = {
    ForeignOption{"-p,--parallel_init", "0", true, "every process starts its one GPU by itself"},
    ForeignOption{"-S,--report_timestamps", "0", true, "rows carry no time of day"},
    ForeignOption{"-M,--memory,--memory_report", "0", true, "memory is not reported"},
    ForeignOption{"-K,--per_iter_skip", "0", true, "no iteration is left out of the statistics"},
    ForeignOption{"-z,--blocking", "0", false, "operations run back to back: leave -z out"},
    ForeignOption{"-a,--average", "1", false, "the time is the mean over ranks: leave -a out"},
    ForeignOption{"-m,--agg_iters", "1", false, "operations are not aggregated: write -m 1"},
    ForeignOption{"-N,--run_cycles", "1", false, "there is one cycle: run it again instead"},
    ForeignOption{"-y,--stream_null", "0", false, "a stream of its own is used: leave -y out"},
    ForeignOption{"-G,--cudagraph", "0", false, "no CUDA graphs: leave -G out"},
    ForeignOption{"-C,--report_cputime", "0", false, "the latency is reported: leave -C out"},
    ForeignOption{"-R,--local_register", "0", false, "buffers are not registered: leave -R out"},
    ForeignOption{"-D,--device_implementation", "0", false, "no device kernels: leave -D out"},
    ForeignOption{"-V,--device_cta_count", "0", false, "no device kernels: leave -V out"},
    ForeignOption{"-x,--cta_policy", "0", false, "NCCL's own policy is used: leave -x out"},
    ForeignOption{"-u,--unalign", "0", false, "buffers are aligned: leave -u out"},
    ForeignOption{"-T,--timeout", "0", false, "write --deadline SECONDS, for the whole run"},
};

void declare_sweep(CLI::App& app, RawOptions& raw) {
  app.add_option("operation", raw.operation,
                 "all_reduce, all_gather, reduce_scatter, broadcast, reduce, alltoall, sendrecv or "
                 "pingpong; "
                 "also as all_reduce_perf")
      ->required();
  app.add_option("-b,--minbytes", raw.min_bytes, "smallest size, such as 8 or 64M [32M]");
  app.add_option("-e,--maxbytes", raw.max_bytes,
                 "largest size [as -b; with -f or -i at least 32M]");
  app.add_option("-i,--stepbytes", raw.step_bytes, "step between sizes [1M]");
  app.add_option("-f,--stepfactor", raw.options.sizes.factor,
                 "factor between sizes, instead of -i; 1 for none");
  app.add_option("-n,--iters", raw.options.iterations, "timed operations a size [20]")
      ->check(CLI::Range(1u, kMaxIterations));
  app.add_option("-w,--warmup_iters", raw.options.warmup, "untimed ones at every size first [1]")
      ->check(CLI::Range(0u, kMaxIterations));
  app.add_option("-c,--check", raw.options.checks, "verified ones a size, 0 for none [1]")
      ->check(CLI::Range(0u, kMaxIterations));
  app.add_option("-r,--root", raw.options.root, "root of broadcast and reduce [0]");
  app.add_option("-I,--per_iter_timing", raw.times_each,
                 "1: statistics over single iterations; 0: none [1]")
      ->check(CLI::Range(0u, 1u));
  app.add_option("-d,--datatype", raw.data_type, "float");
  app.add_option("-o,--op", raw.reduction, "sum");
  app.add_option("-g,--ngpus", raw.options.gpus,
                 "GPUs of each task: so many ranks, each a process of its own [1]")
      ->check(CLI::Range(1u, kMaxSlots));
  app.add_option("-t,--nthreads", raw.threads, "threads a process: 1");
}

void declare_surroundings(CLI::App& app, RawOptions& raw) {
  app.add_option("--backend", raw.options.backend, "auto, nccl or fabric [auto]")
      ->check(CLI::IsMember({"auto", "nccl", "fabric"}));
  app.add_option("--interface", raw.options.interface, "network interface to use");
  app.add_option("--nccl-library", raw.options.nccl_library, "file of the NCCL to use");
  app.add_option("--transport", raw.transport,
                 "how the fabric moves sendrecv and pingpong: tagged or rma [tagged]")
      ->check(CLI::IsMember({"tagged", "rma"}));
  app.add_option("--nic", raw.options.nic,
                 "the fabric's devices: each (a row for each alone), all (together) or a name");
  app.add_option("--deadline", raw.deadline_seconds, "seconds from start to end [600]")
      ->check(CLI::Range(1u, kMaxDeadlineSeconds));
  app.add_option("--split", raw.split,
                 "groups that measure at once: node, rail, pair or none [none]");
  app.add_option("-J,--json,--output_file", raw.options.json_file,
                 "write the result as JSON to this file, - for stdout instead of the table");
  app.add_option("--csv", raw.options.csv_file, "the same as CSV");
  app.add_flag("--out-of-place{false}", raw.options.in_place, "measure out of place only");
  app.add_option("--report-fd", raw.report_fd, "write this rank's report to a descriptor")
      ->check(CLI::Range(0, 1 << 20));
}

void declare_foreign(CLI::App& app, RawOptions& raw) {
  raw.foreign.resize(kForeign.size());
  for (std::size_t i = 0; i < kForeign.size(); ++i) {
    app.add_option(kForeign[i].names, raw.foreign[i], kForeign[i].text)->group("");
  }
}

Error usage(std::string text) {
  return Error(ErrorCode::kInvalidArgument, std::move(text));
}

Status check_foreign(const RawOptions& raw, std::vector<std::string>& notes) {
  for (std::size_t i = 0; i < kForeign.size(); ++i) {
    const ForeignOption& option = kForeign[i];
    if (raw.foreign[i].empty() || raw.foreign[i] == option.harmless) continue;
    std::string line = fmt::format("{} {}: {}", std::string_view(option.names).substr(0, 2),
                                   raw.foreign[i], option.text);
    if (!option.ignored) return failure(usage(std::move(line)));
    notes.push_back(std::move(line) + "; ignored");
  }
  return {};
}

Status check_fixed(const RawOptions& raw) {
  if (raw.data_type != "float") {
    return failure(usage(fmt::format("-d {}: float is the one type there is", raw.data_type)));
  }
  if (raw.reduction != "sum") {
    return failure(usage(fmt::format("-o {}: sum is the one reduction there is", raw.reduction)));
  }
  if (raw.threads != 1) {
    return failure(
        usage(fmt::format("-t {}: every GPU has a process of its own; for {} GPUs of a "
                          "task write -g {}",
                          raw.threads, raw.threads, raw.threads)));
  }
  if (raw.options.gpus != 1 && raw.report_fd >= 0) {
    return failure(
        usage(fmt::format("-g {} --report-fd {}: a descriptor takes the report of one "
                          "rank: start each rank with -g 1",
                          raw.options.gpus, raw.report_fd)));
  }
  return {};
}

// What only the fabric has makes it the backend.
Status choose_fabric(BenchOptions& options, std::vector<std::string>& notes) {
  std::string wish;
  if (!options.nic.empty()) wish = fmt::format("--nic {}", options.nic);
  if (options.transport == Transport::kRma) wish = "--transport rma";
  if (options.operation == Operation::kPingPong) wish = "pingpong";
  if (wish.empty()) return {};
  if (options.backend == "nccl") {
    return failure(
        usage(fmt::format("{}: the nccl backend has no such thing; write --backend fabric", wish)));
  }
  if (options.backend == "auto") notes.push_back(fmt::format("backend fabric, for {}", wish));
  options.backend = "fabric";
  return {};
}

Status check_fabric(const BenchOptions& options) {
  const bool point_to_point =
      options.operation == Operation::kSendRecv || options.operation == Operation::kPingPong;
  if (options.transport == Transport::kRma && !point_to_point) {
    return failure(
        usage(fmt::format("--transport rma: {} goes by messages; sendrecv and pingpong "
                          "can go by rma",
                          to_string(options.operation))));
  }
  if (!options.nic.empty() && !options.interface.empty()) {
    return failure(
        usage(fmt::format("--nic {} --interface {}: both choose the device; leave one out",
                          options.nic, options.interface)));
  }
  return {};
}

// Without -e: nccl-tests ends at 32M. Whoever names a step wants several sizes; else it is one.
Status take_sizes(const RawOptions& raw, SizeRange& sizes) {
  MUSTER_TRY(min_bytes, parse_bytes(raw.min_bytes));
  if (sizes.factor == 1) sizes.factor = 0;  // nccl-tests' way to say: by steps of -i
  const bool steps = sizes.factor != 0 || !raw.step_bytes.empty();
  std::uint64_t max_bytes = steps ? std::max(min_bytes, kUsualBytes) : min_bytes;
  if (!raw.max_bytes.empty()) {
    MUSTER_TRY(asked, parse_bytes(raw.max_bytes));
    max_bytes = asked;
  }
  MUSTER_TRY(step_bytes, parse_bytes(raw.step_bytes.empty() ? "1M" : raw.step_bytes));
  sizes.min_bytes = min_bytes;
  sizes.max_bytes = max_bytes;
  sizes.step_bytes = step_bytes;
  MUSTER_RETURN_IF_ERROR(expand_sizes(sizes));
  return {};
}

Result<CommandLine> finish(RawOptions raw) {
  MUSTER_RETURN_IF_ERROR(check_fixed(raw));
  CommandLine command;
  MUSTER_RETURN_IF_ERROR(check_foreign(raw, command.notes));
  BenchOptions& options = raw.options;
  MUSTER_TRY(operation, parse_operation(raw.operation));
  options.operation = operation;
  MUSTER_TRY(split, parse_split(raw.split));
  options.split = split;
  options.times_each = raw.times_each != 0;
  options.transport = raw.transport == "rma" ? Transport::kRma : Transport::kTagged;
  MUSTER_RETURN_IF_ERROR(check_fabric(options));
  MUSTER_RETURN_IF_ERROR(choose_fabric(options, command.notes));
  if (options.root != 0 && !has_root(operation)) {
    command.notes.push_back(
        fmt::format("-r {}: {} has no root; ignored", options.root, to_string(operation)));
    options.root = 0;
  }
  for (std::string* file : {&options.json_file, &options.csv_file}) {
    // Opened by its name a file behind stdout would be written anew, from its start.
    if (*file == "/dev/stdout" || *file == "/dev/fd/1" || *file == "/proc/self/fd/1") *file = "-";
  }
  if (options.json_file == "-" && options.csv_file == "-") {
    return failure(usage("--json - --csv -: stdout takes one of them; name a file for the other"));
  }
  MUSTER_RETURN_IF_ERROR(take_sizes(raw, options.sizes));
  options.deadline = std::chrono::seconds(raw.deadline_seconds);
  if (raw.report_fd >= 0) options.report_fd = raw.report_fd;
  command.options = std::move(options);
  return command;
}

}  // namespace

Result<CommandLine> parse_options(const std::vector<std::string>& arguments) {
  CLI::App app("Measures collectives and verifies their results.", "muster-bench");
  app.set_version_flag("--version", "muster-bench " MUSTER_VERSION "\n", "print the version");
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  RawOptions raw;
  declare_sweep(app, raw);
  declare_surroundings(app, raw);
  declare_foreign(app, raw);
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // as CLI11 wants it
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    return CommandLine{app.help(), {}, {}};
  } catch (const CLI::CallForVersion&) {
    return CommandLine{app.version(), {}, {}};
  } catch (const CLI::ParseError& error) {
    return failure(usage(fmt::format("{} (muster-bench --help lists the options)", error.what())));
  }
  return finish(std::move(raw));
}

std::string fingerprint(const BenchOptions& options) {
  const SizeRange& sizes = options.sizes;
  std::string more = options.transport == Transport::kRma ? " --transport rma" : "";
  // The name of a device may differ from node to node; how many are used may not.
  if (options.nic == "each" || options.nic == "all") more += " --nic " + options.nic;
  if (!options.in_place) more += " --out-of-place";
  return fmt::format("{} -b {} -e {} {} -n {} -w {} -c {} -r {} -I {} --backend {} --split {}{}",
                     to_string(options.operation), sizes.min_bytes, sizes.max_bytes,
                     sizes.factor != 0 ? fmt::format("-f {}", sizes.factor)
                                       : fmt::format("-i {}", sizes.step_bytes),
                     options.iterations, options.warmup, options.checks, options.root,
                     options.times_each ? 1 : 0, options.backend, to_string(options.split), more);
}

}  // namespace muster::bench
