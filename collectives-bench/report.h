// RankReport: what one process of a check gang measured, or why it could not. One JSON document.
//
// print_report writes what parse_report reads; README.md shows the document. The reader trusts
// nothing: sizes, counts and numbers have limits, unknown members are ignored, and the version must
// be ours. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectives-bench/nccl_lines.h"
#include "collectives-bench/operation.h"
#include "collectives-bench/statistics.h"
#include "rendezvous/base/result.h"

namespace muster::bench {

inline constexpr std::uint32_t kReportVersion = 1;
inline constexpr std::size_t kMaxReportBytes = 1u << 20;
inline constexpr std::size_t kMaxReportText = 4096;  // of any string in it
inline constexpr std::size_t kMaxReportRows = 256;
inline constexpr std::size_t kMaxReportWord = 256;  // of what NCCL told

// What a process was doing. Deadlines and failures name it.
enum class Phase { kJoin, kLoad, kInit, kWarmup, kMeasure, kVerify, kClose };

std::string_view to_string(Phase phase);  // "join"; static

struct Measured {
  double time_us = 0;                  // one operation, on this rank
  double mean_us = 0;                  // the same, mean over all ranks
  double algbw = 0;                    // GB/s, from mean_us
  double busbw = 0;                    // GB/s, from mean_us
  std::optional<std::uint64_t> wrong;  // elements on this rank; empty: not verified
  std::optional<IterationStatistics> iterations = std::nullopt;  // of this rank's; empty: not taken
  // Where a row is that of a group: the rank with the longest time, which is then time_us, and
  // whose iterations these are. Not in the document.
  std::optional<std::uint32_t> slowest_rank = std::nullopt;

  bool operator==(const Measured&) const = default;
};

struct Row {
  std::uint64_t bytes = 0;
  std::uint64_t count = 0;
  Measured out_of_place;
  Measured in_place;
  bool has_in_place = true;  // false: the operation has none, and in_place is blank
  std::string nic = {};      // what it was measured by, where that was asked; else ""

  bool operator==(const Row&) const = default;
};

struct PhaseTimings {  // seconds; 0: not reached
  double join = 0;
  double context = 0;  // driver, libraries, a context on the device, memory; 0 in a backend without
  double init = 0;
  double warmup = 0;
  double measure = 0;

  bool operator==(const PhaseTimings&) const = default;
};

struct ReportError {
  ErrorCode code = ErrorCode::kSystem;
  std::string text;
  Phase phase = Phase::kJoin;

  bool operator==(const ReportError&) const = default;
};

struct RankReport {
  std::uint32_t rank = 0;
  std::uint32_t size = 0;  // ranks in its world
  std::uint32_t node = 0;
  std::string host;
  Operation operation = Operation::kAllReduce;
  std::string backend;  // "nccl", "fabric"; "" when the choice was not reached
  std::string library;  // "libfabric 1.17, tcp;ofi_rxm"
  std::string path;     // the file of that library
  std::string network;  // "eth0 10.0.0.1", "libnccl-net-ofi.so"
  std::string device;   // "GPU 3 NVIDIA H100", "host memory"
  // That the library used at the largest size: "NVLS", "Ring"; "" where it did not tell this rank.
  std::string algorithm = {};
  std::optional<NcclFacts> nccl = std::nullopt;  // of the backend nccl, as far as NCCL told
  std::vector<Row> rows;
  PhaseTimings timings;
  std::optional<ReportError> error;

  bool operator==(const RankReport&) const = default;
};

// One line of UTF-8 without a newline. Strings are cut at kMaxReportText, bad UTF-8 is replaced.
std::string print_report(const RankReport& report);

// kProtocol names the member at fault and what it held.
Result<RankReport> parse_report(std::string_view document);

}  // namespace muster::bench
