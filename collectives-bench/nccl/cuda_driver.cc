#include "collectives-bench/nccl/cuda_driver.h"

#include <fmt/format.h>

namespace muster::bench::nccl {

Result<CudaDriver> CudaDriver::open() {
  auto library = SharedLibrary::open("libcuda.so.1");
  if (!library) return failure(library.error().within("no CUDA driver"));
  CudaDriver driver(std::move(*library));
  MUSTER_RETURN_IF_ERROR(driver.bind_symbols());
  MUSTER_RETURN_IF_ERROR(driver.start());
  return driver;
}

// The names carry the version that cuda.h maps the plain ones to.
Status CudaDriver::bind_symbols() {
  MUSTER_RETURN_IF_ERROR(library_.bind("cuInit", initialize_));
  MUSTER_RETURN_IF_ERROR(library_.bind("cuGetErrorString", error_string_));
  MUSTER_RETURN_IF_ERROR(library_.bind("cuDeviceGetCount", count_));
  MUSTER_RETURN_IF_ERROR(library_.bind("cuDeviceGet", device_get));
  MUSTER_RETURN_IF_ERROR(library_.bind("cuDeviceGetName", device_name));
  MUSTER_RETURN_IF_ERROR(library_.bind("cuDeviceGetPCIBusId", device_bus));
  MUSTER_RETURN_IF_ERROR(library_.bind("cuDevicePrimaryCtxRetain", context_retain));
  MUSTER_RETURN_IF_ERROR(library_.bind("cuDevicePrimaryCtxRelease_v2", context_release));
  MUSTER_RETURN_IF_ERROR(library_.bind("cuCtxSetCurrent", context_use));
  MUSTER_RETURN_IF_ERROR(library_.bind("cuStreamCreate", stream_create));
  MUSTER_RETURN_IF_ERROR(library_.bind("cuStreamDestroy_v2", stream_destroy));
  MUSTER_RETURN_IF_ERROR(library_.bind("cuStreamQuery", stream_query));
  MUSTER_RETURN_IF_ERROR(library_.bind("cuEventCreate", event_create));
  MUSTER_RETURN_IF_ERROR(library_.bind("cuEventDestroy_v2", event_destroy));
  MUSTER_RETURN_IF_ERROR(library_.bind("cuEventRecord", event_record));
  MUSTER_RETURN_IF_ERROR(library_.bind("cuEventElapsedTime", event_elapsed_ms));
  MUSTER_RETURN_IF_ERROR(library_.bind("cuMemGetInfo_v2", memory_facts));
  MUSTER_RETURN_IF_ERROR(library_.bind("cuMemAlloc_v2", memory_allocate));
  MUSTER_RETURN_IF_ERROR(library_.bind("cuMemFree_v2", memory_free));
  MUSTER_RETURN_IF_ERROR(library_.bind("cuMemAllocHost_v2", host_allocate));
  MUSTER_RETURN_IF_ERROR(library_.bind("cuMemFreeHost", host_free));
  MUSTER_RETURN_IF_ERROR(library_.bind("cuMemcpyHtoDAsync_v2", copy_to_device));
  MUSTER_RETURN_IF_ERROR(library_.bind("cuMemcpyDtoHAsync_v2", copy_to_host));
  MUSTER_RETURN_IF_ERROR(library_.bind("cuMemcpyDtoDAsync_v2", copy_within));
  return library_.bind("cuMemsetD32Async", set_words);
}

Status CudaDriver::start() {
  MUSTER_RETURN_IF_ERROR(check(initialize_(0), "start the CUDA driver"));
  MUSTER_RETURN_IF_ERROR(check(count_(&device_count_), "count GPUs"));
  if (device_count_ > 0) return {};
  return failure(ErrorCode::kUnsupported, "the CUDA driver shows no GPU to this process");
}

Status CudaDriver::check(CUresult code, const char* what) const {
  if (code == CUDA_SUCCESS) return {};
  const char* text = nullptr;
  if (error_string_(code, &text) != CUDA_SUCCESS || text == nullptr) text = "unknown error";
  const bool absent = code == CUDA_ERROR_NO_DEVICE || code == CUDA_ERROR_SYSTEM_NOT_READY;
  return failure(absent ? ErrorCode::kUnsupported : ErrorCode::kSystem,
                 fmt::format("{}: {} (CUDA error {})", what, text, static_cast<int>(code)));
}

}  // namespace muster::bench::nccl
