// HealthFacts: what one look at a node found, before any judgement: GPUs, NICs, host, versions.
// A plain value that travels from the child that looked to its agent, and on to the coordinator.
//
// judge.h makes probes of two such looks, one before and one after the check.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collectives-bench/nccl_lines.h"
#include "rendezvous/base/result.h"

namespace muster::health {

inline constexpr std::size_t kMaxFactItems = 256;  // of any list of the facts
inline constexpr std::size_t kMaxFactText = 512;   // characters of any text; longer ones are cut

// A value, or why there is none: "this driver has no nvmlDeviceGetRemappedRows".
template <class T>
struct Fact {
  std::optional<T> value;
  std::string absent = "was not asked";

  Fact() = default;
  Fact(T known) : value(std::move(known)), absent() {}  // implicit: facts are written as values
  static Fact none(std::string why) {
    Fact fact;
    fact.absent = std::move(why);
    return fact;
  }
  bool operator==(const Fact&) const = default;
};

using Number = Fact<std::uint64_t>;  // a yes or no is 1 or 0

inline constexpr std::uint64_t kUnlimited = UINT64_MAX;  // of a resource limit

// Of NVML, whose words these are.
struct GpuFacts {
  std::uint64_t index = 0;  // NVML's
  std::string uuid;
  std::string bus_id;   // "0000:53:00"; what XID lines of the kernel name
  std::string name;     // "NVIDIA H100 80GB HBM3"
  std::string problem;  // "GPU is lost": nothing else of it is known then
  Number ecc_enabled;
  Number ecc_uncorrected;           // since the driver was loaded
  Number ecc_uncorrected_lifetime;  // since the GPU was made
  Number ecc_corrected;
  Number rows_remapped;  // for uncorrectable errors
  Number remap_pending;
  Number remap_failed;
  Number recovery_action;  // 0: none is needed
  Number nvlinks_active;
  std::vector<std::uint64_t> nvlinks_down;
  Number nvlink_errors;  // CRC, replay and recovery together
  Number pcie_width;
  Number pcie_max_width;
  Number pcie_generation;
  Number pcie_max_generation;
  Number pcie_replays;
  Number fabric_state;   // 0 not supported, 1 not started, 2 in progress, 3 completed
  Number fabric_status;  // an NVML error, once completed
  Number fabric_health;  // 0 not supported, 1 healthy, 2 unhealthy, 3 limited
  Number sm_clock;       // MHz
  Number max_sm_clock;
  Number clock_reasons;        // a bit each
  Number software_thermal_ns;  // time with lowered clocks, since the driver was loaded
  Number hardware_thermal_ns;
  Number power_brake_ns;
  Number temperature;                          // degrees Celsius
  Number memory_used;                          // bytes, without what the driver reserves
  Fact<std::vector<std::uint64_t>> processes;  // ids as the driver sees them
  Number mig_mode;
  Number compute_mode;
  Number persistence;

  bool operator==(const GpuFacts&) const = default;
};

struct NicFacts {
  std::string name;    // "rdmap79s0"
  std::string vendor;  // "0x1d0f"
  std::string state;   // "ACTIVE" of "4: ACTIVE"
  Number rate_gbit;
  std::map<std::string, std::uint64_t> counters;  // hw_counters of port 1

  bool is_efa() const { return vendor == "0x1d0f"; }
  bool operator==(const NicFacts&) const = default;
};

struct XidEvent {
  std::string bus_id;
  std::uint64_t code = 0;
  std::uint64_t age_s = 0;
  bool operator==(const XidEvent&) const = default;
};

struct DiskFacts {
  std::string path;
  Number free_bytes;
  bool operator==(const DiskFacts&) const = default;
};

using NcclFacts = bench::NcclFacts;  // from NCCL's own lines in the check

struct HostFacts {
  std::string instance_type;
  std::string instance_id;
  Number memlock;  // bytes; kUnlimited
  Number nofile;
  Number shm_bytes;                              // size of /dev/shm
  Fact<std::vector<std::string>> shm_leftovers;  // names of what dead jobs left there
  Number gpu_files;                              // /dev/nvidia0, 1, ...
  Fact<std::vector<XidEvent>> kernel_xids;
  Fact<std::vector<XidEvent>> watched_xids;  // by xid_watch.h, during the check
  std::vector<DiskFacts> disks;
  std::vector<std::string> modules;  // of those that kWantedModules names, the loaded ones
  std::vector<std::string> plugins;  // network plug-ins of NCCL that are installed, paths
  Fact<std::vector<NicFacts>> nics;
  bool operator==(const HostFacts&) const = default;
};

struct HealthFacts {
  std::uint64_t taken_at_ms = 0;  // of the node's monotonic clock
  std::string driver_problem;     // why the GPUs could not be asked; "" when they could
  bool has_driver = false;        // an NVIDIA driver is loaded
  std::vector<GpuFacts> gpus;     // by bus id
  std::string host_problem;       // why the host's facts are missing; "" when they are not
  HostFacts host;
  NcclFacts nccl;  // to be filled in after the check
  // Against the median node, see clock_offset.h; to be filled in by who has the looks of all nodes.
  Fact<std::int64_t> clock_offset_us;
  std::uint64_t clock_uncertainty_us = 0;       // plus or minus
  std::map<std::string, std::string> versions;  // "driver" -> "550.90.07"

  bool operator==(const HealthFacts&) const = default;
};

// Compact JSON. A fact without a value is written as its reason.
std::string encode(const HealthFacts& facts);

// kProtocol names the first field that is missing or of another kind.
Result<HealthFacts> parse_health_facts(std::string_view bytes);

}  // namespace muster::health
