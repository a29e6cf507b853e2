// What is remembered of a node that was found unfit, as a value and as one line of JSON. Pure.
//
//   {"version":1,"time":"2026-11-23T07:12:03Z","job":"4711.0","host":"node3",
//    "instance_id":"i-0abc","gpus":["GPU-..."],"fault":"slow","ratio":0.41,"evidence":"..."}
//
// The lines come from other jobs, other versions and other programs: whatever is not such a record
// is skipped and counted, never an error of the whole.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include "rendezvous/base/result.h"

namespace muster::history {

// Characters; what is longer is cut when it is written and refused when it is read.
inline constexpr std::size_t kMaxName = 255;  // host, job, instance id, GPU UUID, fault
inline constexpr std::size_t kMaxEvidence = 1024;
inline constexpr std::size_t kMaxGpus = 16;         // of a node
inline constexpr std::size_t kMaxRecord = 1 << 14;  // bytes of a line; print_record stays below

// One node of a verdict.
struct UnfitRecord {
  std::string host;
  std::string instance_id;        // "" where it is not known
  std::vector<std::string> gpus;  // UUIDs
  std::string fault;              // "slow", "hung", "wrong data", "probes", "lost", "agent"
  double ratio = 0;               // of what the others reach; 0: was not measured
  std::string evidence;           // one line

  bool operator==(const UnfitRecord&) const = default;
};

struct Record {
  std::chrono::sys_seconds when{};
  std::string job;  // "4711.0"
  UnfitRecord unfit;

  bool operator==(const Record&) const = default;
};

// One line without its newline. Bytes that are no printable ASCII become '?', a ratio that is no
// finite number 0, so that a line never breaks another one.
std::string print_record(const Record& record);

// Members it does not know are ignored. Errors name what is missing or of another kind (kProtocol),
// or the limit (kLimit).
Result<Record> parse_record(std::string_view line);

struct Records {
  std::vector<Record> records;  // in the order of the file
  std::size_t skipped = 0;      // lines that are none; empty lines do not count

  bool operator==(const Records&) const = default;
};

Records parse_records(std::string_view text);

}  // namespace muster::history
