#include "launcher/health/nvml_library.h"

#include <dlfcn.h>

namespace muster::health {

namespace {

template <class Function>
void find_optional(const NvmlLibrary& nvml, const char* name, Function& function) {
  function = reinterpret_cast<Function>(::dlsym(nvml.handle.get(), name));
}

// Keeps the name of the first symbol that is missing.
template <class Function>
void find_symbol(const NvmlLibrary& nvml, const char* name, Function& function,
                 std::string& missing) {
  find_optional(nvml, name, function);
  if (function == nullptr && missing.empty()) missing = name;
}

std::string find_required_symbols(NvmlLibrary& nvml) {
  std::string missing;
  find_symbol(nvml, "nvmlInit_v2", nvml.init, missing);
  find_symbol(nvml, "nvmlShutdown", nvml.shut_down, missing);
  find_symbol(nvml, "nvmlErrorString", nvml.error_text, missing);
  find_symbol(nvml, "nvmlDeviceGetCount_v2", nvml.count_devices, missing);
  find_symbol(nvml, "nvmlDeviceGetHandleByIndex_v2", nvml.open_device, missing);
  find_symbol(nvml, "nvmlDeviceGetUUID", nvml.read_uuid, missing);
  find_symbol(nvml, "nvmlDeviceGetPciInfo_v3", nvml.read_place, missing);
  return missing;
}

void find_optional_symbols(NvmlLibrary& nvml) {
  find_optional(nvml, "nvmlSystemGetDriverVersion", nvml.read_driver_version);
  find_optional(nvml, "nvmlSystemGetCudaDriverVersion_v2", nvml.read_cuda_version);
  find_optional(nvml, "nvmlDeviceGetName", nvml.read_name);
  find_optional(nvml, "nvmlDeviceGetEccMode", nvml.read_ecc_mode);
  find_optional(nvml, "nvmlDeviceGetTotalEccErrors", nvml.read_ecc_errors);
  find_optional(nvml, "nvmlDeviceGetRemappedRows", nvml.read_remapped_rows);
  find_optional(nvml, "nvmlDeviceGetFieldValues", nvml.read_fields);
  find_optional(nvml, "nvmlDeviceGetNvLinkState", nvml.read_nvlink_state);
  find_optional(nvml, "nvmlDeviceGetCurrPcieLinkWidth", nvml.read_pcie_width);
  find_optional(nvml, "nvmlDeviceGetMaxPcieLinkWidth", nvml.read_max_pcie_width);
  find_optional(nvml, "nvmlDeviceGetCurrPcieLinkGeneration", nvml.read_pcie_generation);
  find_optional(nvml, "nvmlDeviceGetMaxPcieLinkGeneration", nvml.read_max_pcie_generation);
  find_optional(nvml, "nvmlDeviceGetPcieReplayCounter", nvml.read_pcie_replays);
  find_optional(nvml, "nvmlDeviceGetGpuFabricInfoV", nvml.read_fabric);
  find_optional(nvml, "nvmlDeviceGetClockInfo", nvml.read_clock);
  find_optional(nvml, "nvmlDeviceGetMaxClockInfo", nvml.read_max_clock);
  find_optional(nvml, "nvmlDeviceGetCurrentClocksEventReasons", nvml.read_clock_reasons);
  if (nvml.read_clock_reasons == nullptr) {  // its name before driver 535
    find_optional(nvml, "nvmlDeviceGetCurrentClocksThrottleReasons", nvml.read_clock_reasons);
  }
  find_optional(nvml, "nvmlDeviceGetTemperature", nvml.read_temperature);
  find_optional(nvml, "nvmlDeviceGetMemoryInfo_v2", nvml.read_memory);
  find_optional(nvml, "nvmlDeviceGetComputeRunningProcesses_v3", nvml.read_processes);
  find_optional(nvml, "nvmlDeviceGetMigMode", nvml.read_mig_mode);
  find_optional(nvml, "nvmlDeviceGetComputeMode", nvml.read_compute_mode);
  find_optional(nvml, "nvmlDeviceGetPersistenceMode", nvml.read_persistence);
  find_optional(nvml, "nvmlEventSetCreate", nvml.create_events);
  find_optional(nvml, "nvmlDeviceRegisterEvents", nvml.register_events);
  find_optional(nvml, "nvmlEventSetWait_v2", nvml.wait_event);
}

}  // namespace

void NvmlLibrary::Close::operator()(void* handle) const {
  ::dlclose(handle);
}

std::string NvmlLibrary::explain(NvmlReturn code) const {
  const char* const text = error_text(code);
  return text != nullptr ? text : "NVML error " + std::to_string(code);
}

Result<NvmlLibrary> open_nvml(const std::string& library) {
  NvmlLibrary nvml;
  nvml.handle.reset(::dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL));
  if (nvml.handle == nullptr) {
    const char* const reason = ::dlerror();
    return failure(ErrorCode::kUnavailable,
                   "a GPU driver is loaded, but its library cannot be opened, so no GPU is seen: " +
                       std::string(reason != nullptr ? reason : library));
  }
  const std::string missing = find_required_symbols(nvml);
  if (!missing.empty()) {
    return failure(ErrorCode::kUnsupported,
                   library + " is no NVML or too old, so no GPU is seen: it has no " + missing);
  }
  find_optional_symbols(nvml);
  return nvml;
}

}  // namespace muster::health
