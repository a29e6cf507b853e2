#include "launcher/health/nvml.h"

#include <algorithm>
#include <array>
#include <optional>
#include <tuple>
#include <utility>
#include <vector>

#include "launcher/health/nvml_library.h"

namespace muster::health {

namespace {

constexpr unsigned int kUuidBytes = 96;

struct Gpu {
  std::tuple<unsigned int, unsigned int, unsigned int> place;  // domain, bus, device
  std::string uuid;
};

// nullopt: not ours to open.
Result<std::optional<Gpu>> read_gpu(const NvmlLibrary& nvml, unsigned int index) {
  NvmlDevice* device = nullptr;
  NvmlReturn code = nvml.open_device(index, &device);
  if (code == kNvmlNoPermission) return std::nullopt;
  std::array<char, kUuidBytes + 1> uuid{};  // one more: a NUL that no library can overwrite
  NvmlPciPlace place{};
  if (code == kNvmlSuccess) code = nvml.read_uuid(device, uuid.data(), kUuidBytes);
  if (code == kNvmlSuccess) code = nvml.read_place(device, &place);
  if (code != kNvmlSuccess) return failure(ErrorCode::kUnavailable, nvml.explain(code));
  if (!is_gpu_uuid(uuid.data())) {
    return failure(ErrorCode::kProtocol, "the driver names it by no UUID (expected GPU-...)");
  }
  return Gpu{{place.domain, place.bus, place.device}, uuid.data()};
}

GpuReport read_all(const NvmlLibrary& nvml) {
  GpuReport report;
  unsigned int count = 0;
  const NvmlReturn counted = nvml.count_devices(&count);
  if (counted != kNvmlSuccess) {
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
  const Result<NvmlLibrary> nvml = open_nvml(library);
  if (!nvml) return {{}, nvml.error().message(), {}};
  const NvmlReturn started = nvml->init();
  if (started != kNvmlSuccess) {
    return {{}, "the GPU driver does not start: " + nvml->explain(started), {}};
  }
  GpuReport report = read_all(*nvml);
  nvml->shut_down();
  return report;
}

}  // namespace muster::health
