#include "launcher/health/nvml.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <memory>
#include <optional>
#include <tuple>
#include <utility>

namespace muster::health {

namespace {

// Of nvml.h: the little that is needed, so that no NVIDIA header is needed to build.
using Return = int;
struct NvmlDevice;
struct PciPlace {
  std::array<char, 16> legacy_bus_id;
  unsigned int domain;
  unsigned int bus;
  unsigned int device;
  unsigned int pci_device_id;
  unsigned int pci_subsystem_id;
  std::array<char, 32> bus_id;
};
static_assert(sizeof(PciPlace) == 68, "the layout of nvmlPciInfo_t");

constexpr Return kSuccess = 0;
constexpr Return kNoPermission = 4;
constexpr unsigned int kUuidBytes = 96;

struct CloseLibrary {
  void operator()(void* handle) const { ::dlclose(handle); }
};

struct Nvml {
  std::unique_ptr<void, CloseLibrary> handle;
  Return (*init)() = nullptr;
  Return (*shut_down)() = nullptr;
  const char* (*error_text)(Return) = nullptr;
  Return (*count_devices)(unsigned int*) = nullptr;
  Return (*open_device)(unsigned int, NvmlDevice**) = nullptr;
  Return (*read_uuid)(NvmlDevice*, char*, unsigned int) = nullptr;
  Return (*read_place)(NvmlDevice*, PciPlace*) = nullptr;

  std::string explain(Return code) const {
    const char* const text = error_text(code);
    return text != nullptr ? text : "NVML error " + std::to_string(code);
  }
};

// Keeps the name of the first symbol that is missing.
template <class Function>
void find_symbol(const Nvml& nvml, const char* name, Function*& function, std::string& missing) {
  function = reinterpret_cast<Function*>(::dlsym(nvml.handle.get(), name));
  if (function == nullptr && missing.empty()) missing = name;
}

Result<Nvml> open_nvml(const std::string& library) {
  Nvml nvml;
  nvml.handle.reset(::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL));
  if (nvml.handle == nullptr) {
    const char* const reason = ::dlerror();
    return failure(ErrorCode::kUnavailable,
                   "a GPU driver is loaded, but its library cannot be opened, so no GPU is seen: " +
                       std::string(reason != nullptr ? reason : library));
  }
  std::string missing;
  find_symbol(nvml, "nvmlInit_v2", nvml.init, missing);
  find_symbol(nvml, "nvmlShutdown", nvml.shut_down, missing);
  find_symbol(nvml, "nvmlErrorString", nvml.error_text, missing);
  find_symbol(nvml, "nvmlDeviceGetCount_v2", nvml.count_devices, missing);
  find_symbol(nvml, "nvmlDeviceGetHandleByIndex_v2", nvml.open_device, missing);
  find_symbol(nvml, "nvmlDeviceGetUUID", nvml.read_uuid, missing);
  find_symbol(nvml, "nvmlDeviceGetPciInfo_v3", nvml.read_place, missing);
  if (!missing.empty()) {
    return failure(ErrorCode::kUnsupported,
                   library + " is no NVML or too old, so no GPU is seen: it has no " + missing);
  }
  return nvml;
}

struct Gpu {
  std::tuple<unsigned int, unsigned int, unsigned int> place;  // domain, bus, device
  std::string uuid;
};

// nullopt: not ours to open.
Result<std::optional<Gpu>> read_gpu(const Nvml& nvml, unsigned int index) {
  NvmlDevice* device = nullptr;
  Return code = nvml.open_device(index, &device);
  if (code == kNoPermission) return std::nullopt;
  std::array<char, kUuidBytes + 1> uuid{};  // one more: a NUL that no library can overwrite
  PciPlace place{};
  if (code == kSuccess) code = nvml.read_uuid(device, uuid.data(), kUuidBytes);
  if (code == kSuccess) code = nvml.read_place(device, &place);
  if (code != kSuccess) return failure(ErrorCode::kUnavailable, nvml.explain(code));
  if (!is_gpu_uuid(uuid.data())) {
    return failure(ErrorCode::kProtocol, "the driver names it by no UUID (expected GPU-...)");
  }
  return Gpu{{place.domain, place.bus, place.device}, uuid.data()};
}

GpuReport read_all(const Nvml& nvml) {
  GpuReport report;
  unsigned int count = 0;
  const Return counted = nvml.count_devices(&count);
  if (counted != kSuccess) {
    report.driver_problem = "the GPU driver cannot count its GPUs: " + nvml.explain(counted);
    return report;
  }
  if (count > kMaxGpus) {
    report.driver_problem = "the GPU driver tells of " + std::to_string(count) +
                            " GPUs; expected at most " + std::to_string(kMaxGpus);
    return report;
  }
  std::vector<Gpu> gpus;
  for (unsigned int index = 0; index < count; ++index) {
    Result<std::optional<Gpu>> gpu = read_gpu(nvml, index);
    if (!gpu) {
      report.gpu_problems.push_back("GPU " + std::to_string(index) + ": " + gpu.error().message());
    } else if (*gpu) {
      gpus.push_back(std::move(**gpu));
    }
  }
  std::sort(gpus.begin(), gpus.end(), [](const Gpu& a, const Gpu& b) { return a.place < b.place; });
  for (Gpu& gpu : gpus) report.uuids.push_back(std::move(gpu.uuid));
  return report;
}

}  // namespace

GpuReport ask_nvml(const std::string& library) {
  const Result<Nvml> nvml = open_nvml(library);
  if (!nvml) return {{}, nvml.error().message(), {}};
  const Return started = nvml->init();
  if (started != kSuccess) {
    return {{}, "the GPU driver does not start: " + nvml->explain(started), {}};
  }
  GpuReport report = read_all(*nvml);
  nvml->shut_down();
  return report;
}

}  // namespace muster::health
