#include "launcher/health/probes/nvml_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <utility>

#include "launcher/health/gpu_report.h"
#include "launcher/health/nvml_library.h"

namespace muster::health {

namespace {

// Numbers of nvml.h.
constexpr unsigned int kCrcErrors = 38;  // NVML_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL
constexpr unsigned int kReplayErrors = 52;
constexpr unsigned int kRecoveryErrors = 59;
constexpr unsigned int kRecoveryAction = 230;
constexpr unsigned int kSoftwareThermal = 269;
constexpr unsigned int kHardwareThermal = 270;
constexpr unsigned int kPowerBrake = 271;
constexpr int kCorrected = 0;
constexpr int kUncorrected = 1;
constexpr int kVolatile = 0;
constexpr int kAggregate = 1;
constexpr int kSmClock = 1;
constexpr unsigned int kMaxNvlinks = 36;
constexpr unsigned int kMaxProcesses = 64;
constexpr unsigned int kMemoryVersion2 = 40U | 2U << 24;
constexpr unsigned int kTextBytes = 96;

class GpuReader {
 public:
  GpuReader(const NvmlLibrary& nvml, NvmlDevice* device, GpuFacts& gpu)
      : nvml_(nvml), device_(device), gpu_(gpu) {}

  void read_all() {
    read_identity();
    read_memory_health();
    read_links();
    read_fabric();
    read_load();
    read_modes();
  }

 private:
  // A lost GPU fails every call; its first error is its problem.
  std::string refusal(NvmlReturn code) {
    std::string text = nvml_.explain(code);
    const bool is_gone = code == kNvmlGpuIsLost || code == kNvmlResetRequired;
    if (is_gone && gpu_.problem.empty()) gpu_.problem = text;
    return text;
  }

  template <class Value, class Function, class... Arguments>
  Number ask(Function* function, const char* symbol, Arguments... arguments) {
    if (function == nullptr) return Number::none(fmt::format("this driver has no {}", symbol));
    Value value{};
    const NvmlReturn code = function(device_, arguments..., &value);
    if (code != kNvmlSuccess) return Number::none(refusal(code));
    return static_cast<std::uint64_t>(value);
  }

  Number ask_field(unsigned int field) {
    if (nvml_.read_fields == nullptr) {
      return Number::none("this driver has no nvmlDeviceGetFieldValues");
    }
    NvmlFieldValue value{};
    value.field = field;
    NvmlReturn code = nvml_.read_fields(device_, 1, &value);
    if (code == kNvmlSuccess) code = value.code;
    if (code != kNvmlSuccess) return Number::none(refusal(code));
    if (value.type == 1) return std::uint64_t{value.value.word};
    if (value.type == 2 || value.type == 3) return std::uint64_t{value.value.whole};
    return Number::none(fmt::format("field {} is of the unknown type {}", field, value.type));
  }

  void read_identity() {
    std::array<char, kTextBytes + 1> text{};
    NvmlPciPlace place{};
    NvmlReturn code = nvml_.read_uuid(device_, text.data(), kTextBytes);
    if (code == kNvmlSuccess) code = nvml_.read_place(device_, &place);
    if (code != kNvmlSuccess) gpu_.problem = nvml_.explain(code);
    if (is_gpu_uuid(text.data())) gpu_.uuid = text.data();
    if (code == kNvmlSuccess) {
      gpu_.bus_id = fmt::format("{:04x}:{:02x}:{:02x}", place.domain, place.bus, place.device);
    }
    text.fill(0);
    if (nvml_.read_name != nullptr &&
        nvml_.read_name(device_, text.data(), kTextBytes) == kNvmlSuccess) {
      gpu_.name = text.data();
    }
  }

  void read_memory_health() {
    using Whole = unsigned long long;
    if (nvml_.read_ecc_mode == nullptr) {
      gpu_.ecc_enabled = Number::none("this driver has no nvmlDeviceGetEccMode");
    } else {
      unsigned int current = 0;
      unsigned int pending = 0;
      const NvmlReturn code = nvml_.read_ecc_mode(device_, &current, &pending);
      gpu_.ecc_enabled = code == kNvmlSuccess ? Number(current) : Number::none(refusal(code));
    }
    const char* const symbol = "nvmlDeviceGetTotalEccErrors";
    gpu_.ecc_uncorrected = ask<Whole>(nvml_.read_ecc_errors, symbol, kUncorrected, kVolatile);
    gpu_.ecc_uncorrected_lifetime =
        ask<Whole>(nvml_.read_ecc_errors, symbol, kUncorrected, kAggregate);
    gpu_.ecc_corrected = ask<Whole>(nvml_.read_ecc_errors, symbol, kCorrected, kVolatile);
    read_remapped_rows();
    gpu_.recovery_action = ask_field(kRecoveryAction);
  }

  void read_remapped_rows() {
    std::array<unsigned int, 4> rows{};  // corrected, uncorrected, is pending, has failed
    std::string why = "this driver has no nvmlDeviceGetRemappedRows";
    if (nvml_.read_remapped_rows != nullptr) {
      const NvmlReturn code =
          nvml_.read_remapped_rows(device_, &rows[0], &rows[1], &rows[2], &rows[3]);
      why = code == kNvmlSuccess ? "" : refusal(code);
    }
    const auto fact = [&why](unsigned int value) {
      return why.empty() ? Number(value) : Number::none(why);
    };
    gpu_.rows_remapped = fact(rows[1]);
    gpu_.remap_pending = fact(rows[2]);
    gpu_.remap_failed = fact(rows[3]);
  }

  void read_links() {
    gpu_.nvlinks_active = read_nvlinks();
    gpu_.nvlink_errors = read_nvlink_errors();
    using Word = unsigned int;
    gpu_.pcie_width = ask<Word>(nvml_.read_pcie_width, "nvmlDeviceGetCurrPcieLinkWidth");
    gpu_.pcie_max_width = ask<Word>(nvml_.read_max_pcie_width, "nvmlDeviceGetMaxPcieLinkWidth");
    gpu_.pcie_generation =
        ask<Word>(nvml_.read_pcie_generation, "nvmlDeviceGetCurrPcieLinkGeneration");
    gpu_.pcie_max_generation =
        ask<Word>(nvml_.read_max_pcie_generation, "nvmlDeviceGetMaxPcieLinkGeneration");
    gpu_.pcie_replays = ask<Word>(nvml_.read_pcie_replays, "nvmlDeviceGetPcieReplayCounter");
  }

  // A GPU without NVLink, or with fewer links, refuses those that it has not.
  Number read_nvlinks() {
    if (nvml_.read_nvlink_state == nullptr) {
      return Number::none("this driver has no nvmlDeviceGetNvLinkState");
    }
    std::uint64_t active = 0;
    std::string why;
    for (unsigned int link = 0; link < kMaxNvlinks; ++link) {
      unsigned int is_active = 0;
      const NvmlReturn code = nvml_.read_nvlink_state(device_, link, &is_active);
      if (code != kNvmlSuccess) {
        if (link == 0) why = refusal(code);
        break;
      }
      if (is_active != 0) {
        ++active;
      } else {
        gpu_.nvlinks_down.push_back(link);
      }
    }
    return why.empty() ? Number(active) : Number::none(why);
  }

  Number read_nvlink_errors() {
    std::uint64_t sum = 0;
    std::size_t known = 0;
    Number last;
    for (const unsigned int field : {kCrcErrors, kReplayErrors, kRecoveryErrors}) {
      last = ask_field(field);
      if (!last.value) continue;
      sum += *last.value;
      ++known;
    }
    return known > 0 ? Number(sum) : last;
  }

  void read_fabric() {
    std::string why = "this driver has no nvmlDeviceGetGpuFabricInfoV";
    NvmlFabric fabric{};
    if (nvml_.read_fabric != nullptr) {
      fabric.version = kNvmlFabricVersion3;
      NvmlReturn code = nvml_.read_fabric(device_, &fabric);
      if (code != kNvmlSuccess && code != kNvmlNotSupported) {  // an older driver
        fabric = {};
        fabric.version = kNvmlFabricVersion2;
        code = nvml_.read_fabric(device_, &fabric);
      }
      why = code == kNvmlSuccess ? "" : refusal(code);
    }
    const auto fact = [&why](std::uint64_t value) {
      return why.empty() ? Number(value) : Number::none(why);
    };
    gpu_.fabric_state = fact(fabric.state);
    gpu_.fabric_status = fact(static_cast<std::uint64_t>(std::max(fabric.status, 0)));
    gpu_.fabric_health = fact(fabric.summary);
  }

  void read_load() {
    using Word = unsigned int;
    gpu_.sm_clock = ask<Word>(nvml_.read_clock, "nvmlDeviceGetClockInfo", kSmClock);
    gpu_.max_sm_clock = ask<Word>(nvml_.read_max_clock, "nvmlDeviceGetMaxClockInfo", kSmClock);
    gpu_.clock_reasons =
        ask<unsigned long long>(nvml_.read_clock_reasons, "nvmlDeviceGetCurrentClocksEventReasons");
    gpu_.software_thermal_ns = ask_field(kSoftwareThermal);
    gpu_.hardware_thermal_ns = ask_field(kHardwareThermal);
    gpu_.power_brake_ns = ask_field(kPowerBrake);
    gpu_.temperature = ask<Word>(nvml_.read_temperature, "nvmlDeviceGetTemperature", 0);
    if (nvml_.read_memory == nullptr) {
      gpu_.memory_used = Number::none("this driver has no nvmlDeviceGetMemoryInfo_v2");
    } else {
      NvmlMemory memory{};
      memory.version = kMemoryVersion2;
      const NvmlReturn code = nvml_.read_memory(device_, &memory);
      gpu_.memory_used = code == kNvmlSuccess ? Number(memory.used) : Number::none(refusal(code));
    }
    read_processes();
  }

  void read_processes() {
    using Processes = Fact<std::vector<std::uint64_t>>;
    if (nvml_.read_processes == nullptr) {
      gpu_.processes =
          Processes::none("this driver has no nvmlDeviceGetComputeRunningProcesses_v3");
      return;
    }
    std::array<NvmlProcess, kMaxProcesses> processes{};
    unsigned int count = kMaxProcesses;
    const NvmlReturn code = nvml_.read_processes(device_, &count, processes.data());
    if (code != kNvmlSuccess && code != kNvmlTooSmall) {
      gpu_.processes = Processes::none(refusal(code));
      return;
    }
    std::vector<std::uint64_t> ids;
    for (unsigned int i = 0; i < std::min(count, kMaxProcesses); ++i) {
      ids.push_back(processes[i].pid);
    }
    gpu_.processes = std::move(ids);
  }

  void read_modes() {
    using Word = unsigned int;
    if (nvml_.read_mig_mode == nullptr) {
      gpu_.mig_mode = Number::none("this driver has no nvmlDeviceGetMigMode");
    } else {
      unsigned int current = 0;
      unsigned int pending = 0;
      const NvmlReturn code = nvml_.read_mig_mode(device_, &current, &pending);
      gpu_.mig_mode = code == kNvmlSuccess ? Number(current) : Number::none(refusal(code));
    }
    gpu_.compute_mode = ask<Word>(nvml_.read_compute_mode, "nvmlDeviceGetComputeMode");
    gpu_.persistence = ask<Word>(nvml_.read_persistence, "nvmlDeviceGetPersistenceMode");
  }

  const NvmlLibrary& nvml_;
  NvmlDevice* device_;
  GpuFacts& gpu_;
};

void read_gpus(const NvmlLibrary& nvml, HealthFacts& facts) {
  unsigned int count = 0;
  const NvmlReturn counted = nvml.count_devices(&count);
  if (counted != kNvmlSuccess) {
    facts.driver_problem = "the GPU driver cannot count its GPUs: " + nvml.explain(counted);
    return;
  }
  for (unsigned int index = 0; index < std::min(count, kMaxGpus); ++index) {
    GpuFacts gpu;
    gpu.index = index;
    NvmlDevice* device = nullptr;
    const NvmlReturn code = nvml.open_device(index, &device);
    if (code == kNvmlNoPermission) continue;
    if (code == kNvmlSuccess) {
      GpuReader(nvml, device, gpu).read_all();
    } else {
      gpu.problem = nvml.explain(code);
    }
    facts.gpus.push_back(std::move(gpu));
  }
  std::stable_sort(facts.gpus.begin(), facts.gpus.end(),
                   [](const GpuFacts& a, const GpuFacts& b) { return a.bus_id < b.bus_id; });
}

void read_versions(const NvmlLibrary& nvml, HealthFacts& facts) {
  std::array<char, kTextBytes + 1> text{};
  if (nvml.read_driver_version != nullptr &&
      nvml.read_driver_version(text.data(), kTextBytes) == kNvmlSuccess) {
    facts.versions["driver"] = text.data();
  }
  int cuda = 0;
  if (nvml.read_cuda_version != nullptr && nvml.read_cuda_version(&cuda) == kNvmlSuccess) {
    facts.versions["CUDA of the driver"] = fmt::format("{}.{}", cuda / 1000, cuda % 1000 / 10);
  }
}

}  // namespace

void read_nvml_facts(const std::string& library, HealthFacts& facts) {
  const Result<NvmlLibrary> nvml = open_nvml(library);
  if (!nvml) {
    facts.driver_problem = nvml.error().message();
    return;
  }
  const NvmlReturn started = nvml->init();
  if (started != kNvmlSuccess) {
    facts.driver_problem = "the GPU driver does not start: " + nvml->explain(started);
    return;
  }
  read_versions(*nvml, facts);
  read_gpus(*nvml, facts);
  nvml->shut_down();
}

}  // namespace muster::health
