#include "collectives-bench/options.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>

namespace muster::bench {

namespace {

constexpr std::uint32_t kMaxIterations = 1'000'000;
constexpr std::uint32_t kMaxDeadlineSeconds = 24 * 3600;

// What CLI11 fills before it becomes BenchOptions.
struct RawOptions {
  BenchOptions options;
  std::string operation;
  std::string min_bytes = "32M";
  std::string max_bytes;
  std::string step_bytes = "1M";
  std::string data_type = "float";
  std::string reduction = "sum";
  std::uint32_t gpus = 1;
  std::uint32_t threads = 1;
  std::uint32_t deadline_seconds = 600;
  int report_fd = -1;
};

void declare_sweep(CLI::App& app, RawOptions& raw) {
  app.add_option("operation", raw.operation, "all_reduce")->required();
  app.add_option("-b,--minbytes", raw.min_bytes, "smallest size, such as 8 or 64M [32M]");
  app.add_option("-e,--maxbytes", raw.max_bytes, "largest size [as -b]");
  app.add_option("-i,--stepbytes", raw.step_bytes, "step between sizes [1M]");
  app.add_option("-f,--stepfactor", raw.options.sizes.factor,
                 "factor between sizes, instead of -i");
  app.add_option("-n,--iters", raw.options.iterations, "timed operations a size [20]")
      ->check(CLI::Range(1u, kMaxIterations));
  app.add_option("-w,--warmup_iters", raw.options.warmup, "untimed ones at every size first [1]")
      ->check(CLI::Range(0u, kMaxIterations));
  app.add_option("-c,--check", raw.options.checks, "verified ones a size, 0 for none [1]")
      ->check(CLI::Range(0u, kMaxIterations));
  app.add_option("-d,--datatype", raw.data_type, "float");
  app.add_option("-o,--op", raw.reduction, "sum");
  app.add_option("-g,--ngpus", raw.gpus, "GPUs a process: 1");
  app.add_option("-t,--nthreads", raw.threads, "threads a process: 1");
}

void declare_surroundings(CLI::App& app, RawOptions& raw) {
  app.add_option("--backend", raw.options.backend, "auto, nccl or fabric [auto]")
      ->check(CLI::IsMember({"auto", "nccl", "fabric"}));
  app.add_option("--interface", raw.options.interface, "network interface to use");
  app.add_option("--nccl-library", raw.options.nccl_library, "file of the NCCL to use");
  app.add_option("--deadline", raw.deadline_seconds, "seconds from start to end [600]")
      ->check(CLI::Range(1u, kMaxDeadlineSeconds));
  app.add_flag("--json", raw.options.json, "print rank 0's report as JSON instead of the table");
  app.add_option("--report-fd", raw.report_fd, "write this rank's report to a descriptor")
      ->check(CLI::Range(0, 1 << 20));
}

Error usage(std::string text) {
  return Error(ErrorCode::kInvalidArgument, std::move(text));
}

Status check_fixed(const RawOptions& raw) {
  if (raw.operation != "all_reduce") {
    return failure(
        usage(fmt::format("operation {}: all_reduce is the one there is", raw.operation)));
  }
  if (raw.data_type != "float") {
    return failure(usage(fmt::format("-d {}: float is the one type there is", raw.data_type)));
  }
  if (raw.reduction != "sum") {
    return failure(usage(fmt::format("-o {}: sum is the one reduction there is", raw.reduction)));
  }
  if (raw.gpus != 1 || raw.threads != 1) {
    return failure(
        usage(fmt::format("-g {} -t {}: a process drives one GPU from one thread; start "
                          "a process for each GPU: srun --ntasks-per-node=8 "
                          "muster-bench ... -g 1",
                          raw.gpus, raw.threads)));
  }
  return {};
}

Result<BenchOptions> finish(RawOptions raw) {
  MUSTER_RETURN_IF_ERROR(check_fixed(raw));
  BenchOptions& options = raw.options;
  MUSTER_TRY(min_bytes, parse_bytes(raw.min_bytes));
  MUSTER_TRY(max_bytes, parse_bytes(raw.max_bytes.empty() ? raw.min_bytes : raw.max_bytes));
  MUSTER_TRY(step_bytes, parse_bytes(raw.step_bytes));
  options.sizes.min_bytes = min_bytes;
  options.sizes.max_bytes = max_bytes;
  options.sizes.step_bytes = step_bytes;
  MUSTER_RETURN_IF_ERROR(expand_sizes(options.sizes));
  options.deadline = std::chrono::seconds(raw.deadline_seconds);
  if (raw.report_fd >= 0) options.report_fd = raw.report_fd;
  return options;
}

}  // namespace

Result<CommandLine> parse_options(const std::vector<std::string>& arguments) {
  CLI::App app("Measures collectives and verifies their results.", "muster-bench");
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  RawOptions raw;
  declare_sweep(app, raw);
  declare_surroundings(app, raw);
  std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // as CLI11 wants it
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    return CommandLine{app.help(), {}};
  } catch (const CLI::ParseError& error) {
    return failure(usage(fmt::format("{} (muster-bench --help lists the options)", error.what())));
  }
  MUSTER_TRY(options, finish(std::move(raw)));
  return CommandLine{std::nullopt, std::move(options)};
}

}  // namespace muster::bench
