// NVML, NVIDIA's management library, opened at run time: its functions as pointers, and the little
// of nvml.h that is needed, so that no NVIDIA header is needed to build. For adapters in this
// folder (nvml.cc, probes/nvml_facts.cc, probes/xid_watch.cc); any call may hang for ever.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "rendezvous/base/result.h"

namespace muster::health {

using NvmlReturn = int;
struct NvmlDevice;
struct NvmlEventSet;

inline constexpr NvmlReturn kNvmlSuccess = 0;
inline constexpr NvmlReturn kNvmlNotSupported = 3;
inline constexpr NvmlReturn kNvmlNoPermission = 4;
inline constexpr NvmlReturn kNvmlTooSmall = 7;
inline constexpr NvmlReturn kNvmlTimeout = 10;
inline constexpr NvmlReturn kNvmlGpuIsLost = 15;
inline constexpr NvmlReturn kNvmlResetRequired = 16;

struct NvmlPciPlace {
  std::array<char, 16> legacy_bus_id;
  unsigned int domain;
  unsigned int bus;
  unsigned int device;
  unsigned int pci_device_id;
  unsigned int pci_subsystem_id;
  std::array<char, 32> bus_id;
};
static_assert(sizeof(NvmlPciPlace) == 68, "the layout of nvmlPciInfo_t");

struct NvmlFieldValue {
  unsigned int field;
  unsigned int scope;
  long long timestamp;
  long long latency_us;
  int type;  // 0 double, 1 unsigned int, 2 unsigned long, 3 unsigned long long, ...
  NvmlReturn code;
  union {
    double floating;
    unsigned int word;
    unsigned long long whole;
  } value;
};
static_assert(sizeof(NvmlFieldValue) == 40, "the layout of nvmlFieldValue_t");

struct NvmlMemory {  // version 2: `used` leaves out what the driver reserves
  unsigned int version;
  unsigned long long total;
  unsigned long long reserved;
  unsigned long long free;
  unsigned long long used;
};
static_assert(sizeof(NvmlMemory) == 40, "the layout of nvmlMemory_v2_t");

struct NvmlProcess {
  unsigned int pid;
  unsigned long long memory;
  unsigned int gpu_instance;
  unsigned int compute_instance;
};
static_assert(sizeof(NvmlProcess) == 24, "the layout of nvmlProcessInfo_v2_t");

struct NvmlFabric {  // version 3; version 2 ends before `summary`
  unsigned int version;
  std::array<unsigned char, 16> cluster;
  NvmlReturn status;
  unsigned int clique;
  unsigned char state;
  unsigned int health_mask;
  unsigned char summary;
};
static_assert(sizeof(NvmlFabric) == 40, "the layout of nvmlGpuFabricInfo_v3_t");
inline constexpr unsigned int kNvmlFabricVersion2 = 36U | 2U << 24;
inline constexpr unsigned int kNvmlFabricVersion3 = 40U | 3U << 24;

struct NvmlEvent {
  NvmlDevice* device;
  unsigned long long type;
  unsigned long long data;
  unsigned int gpu_instance;
  unsigned int compute_instance;
};
static_assert(sizeof(NvmlEvent) == 32, "the layout of nvmlEventData_t");

struct NvmlLibrary {
  struct Close {
    void operator()(void* handle) const;
  };
  using Device = NvmlDevice*;
  template <class... Arguments>
  using Call = NvmlReturn (*)(Arguments...);
  using ReadWord = Call<Device, unsigned int*>;
  using ReadWhole = Call<Device, unsigned long long*>;

  std::unique_ptr<void, Close> handle;
  Call<> init = nullptr;
  Call<> shut_down = nullptr;
  const char* (*error_text)(NvmlReturn) = nullptr;
  Call<unsigned int*> count_devices = nullptr;
  Call<unsigned int, Device*> open_device = nullptr;
  Call<Device, char*, unsigned int> read_uuid = nullptr;
  Call<Device, NvmlPciPlace*> read_place = nullptr;

  // From here on: nullptr in a driver that does not have it.
  Call<char*, unsigned int> read_driver_version = nullptr;
  Call<int*> read_cuda_version = nullptr;
  Call<Device, char*, unsigned int> read_name = nullptr;
  Call<Device, unsigned int*, unsigned int*> read_ecc_mode = nullptr;
  Call<Device, int, int, unsigned long long*> read_ecc_errors = nullptr;
  Call<Device, unsigned int*, unsigned int*, unsigned int*, unsigned int*> read_remapped_rows =
      nullptr;
  Call<Device, int, NvmlFieldValue*> read_fields = nullptr;
  Call<Device, unsigned int, unsigned int*> read_nvlink_state = nullptr;
  ReadWord read_pcie_width = nullptr;
  ReadWord read_max_pcie_width = nullptr;
  ReadWord read_pcie_generation = nullptr;
  ReadWord read_max_pcie_generation = nullptr;
  ReadWord read_pcie_replays = nullptr;
  Call<Device, NvmlFabric*> read_fabric = nullptr;
  Call<Device, int, unsigned int*> read_clock = nullptr;
  Call<Device, int, unsigned int*> read_max_clock = nullptr;
  ReadWhole read_clock_reasons = nullptr;
  Call<Device, int, unsigned int*> read_temperature = nullptr;
  Call<Device, NvmlMemory*> read_memory = nullptr;
  Call<Device, unsigned int*, NvmlProcess*> read_processes = nullptr;
  Call<Device, unsigned int*, unsigned int*> read_mig_mode = nullptr;
  ReadWord read_compute_mode = nullptr;
  ReadWord read_persistence = nullptr;
  Call<NvmlEventSet**> create_events = nullptr;
  Call<Device, unsigned long long, NvmlEventSet*> register_events = nullptr;
  Call<NvmlEventSet*, NvmlEvent*, unsigned int> wait_event = nullptr;

  // The library's words for an error.
  std::string explain(NvmlReturn code) const;
};

// `library`: a name for the dynamic loader, or a path. Errors, in words for the user: it cannot be
// opened; it is no NVML.
Result<NvmlLibrary> open_nvml(const std::string& library);

}  // namespace muster::health
