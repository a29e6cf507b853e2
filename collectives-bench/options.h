// BenchOptions: muster-bench's command line, with nccl-tests' letters where they mean the same.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "collectives-bench/backend.h"
#include "collectives-bench/grouping.h"
#include "collectives-bench/operation.h"
#include "collectives-bench/sizes.h"
#include "rendezvous/base/result.h"
#include "rendezvous/base/time.h"

namespace muster::bench {

struct BenchOptions {
  Operation operation = Operation::kAllReduce;
  std::uint32_t root = 0;
  Split split = Split::kNone;
  std::string backend = "auto";  // auto, nccl, fabric
  SizeRange sizes;
  std::uint32_t iterations = 20;
  std::uint32_t warmup = 1;
  bool in_place = true;  // too
  std::uint32_t checks = 1;
  std::uint32_t gpus = 1;  // of this task, a rank each
  Duration deadline = std::chrono::minutes(10);
  bool times_each = true;  // statistics over single iterations
  std::string json_file;   // "" for none, "-" for stdout instead of the table
  std::string csv_file;    // the same
  std::optional<int> report_fd;
  std::string interface;
  std::string nccl_library;
  Transport transport = Transport::kTagged;
  std::string nic;  // "" lets the backend choose; each, all or a device's name

  bool operator==(const BenchOptions&) const = default;
};

struct CommandLine {
  std::optional<std::string> text_to_print;  // --help or --version: print this and end
  BenchOptions options;
  std::vector<std::string> notes;  // what was accepted and has no effect, a line each
};

// What all ranks must have been given alike, for comparison.
std::string fingerprint(const BenchOptions& options);

// `arguments` without the program's name. kInvalidArgument says what to write instead.
Result<CommandLine> parse_options(const std::vector<std::string>& arguments);

}  // namespace muster::bench
