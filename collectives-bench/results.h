// Results: all that a run found, as documents for people's scripts: JSON and CSV. Pure.
//
// What goes into the documents is listed here, member by member. Of the environment only the
// variables of kToldVariables, which steer the measured libraries and hold no secrets.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "collectives-bench/grouping.h"
#include "collectives-bench/report.h"
#include "collectives-bench/world.h"

namespace muster::bench {

inline constexpr std::array kToldVariables = {
    "CUDA_VISIBLE_DEVICES", "FI_PROVIDER",        "NCCL_ALGO",
    "NCCL_BUFFSIZE",        "NCCL_CROSS_NIC",     "NCCL_IB_DISABLE",
    "NCCL_MAX_NCHANNELS",   "NCCL_MIN_NCHANNELS", "NCCL_NET",
    "NCCL_NET_PLUGIN",      "NCCL_NVLS_ENABLE",   "NCCL_P2P_DISABLE",
    "NCCL_PROTO",           "NCCL_SHM_DISABLE",   "NCCL_SOCKET_IFNAME",
    "NCCL_TUNER_PLUGIN",    "OFI_NCCL_PROTOCOL",
};

struct Results {
  Operation operation = Operation::kAllReduce;
  std::uint32_t root = 0;
  Split split = Split::kNone;
  std::uint32_t iterations = 0;
  std::uint32_t warmup = 0;
  std::uint32_t checks = 0;
  std::string backend;
  std::string library;
  std::string path;
  std::string transport;  // the fabric's, "tagged" or "rma"; else ""
  std::vector<std::pair<std::string, std::string>> variables;  // those of kToldVariables, set
  std::vector<Member> members;
  std::vector<Group> groups;
  std::vector<std::vector<Row>> sizes;  // one row a group, for each size
  PhaseTimings timings;
  std::optional<ReportError> error;
};

// One line of UTF-8 without a newline.
std::string print_json(const Results& results);

// A header and a line for each size, group and placement; fields are quoted where they must be.
std::string print_csv(const Results& results);

}  // namespace muster::bench
