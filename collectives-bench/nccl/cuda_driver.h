// CudaDriver: the few calls of CUDA's driver library that the backend needs, opened at run time.
//
// The driver's library and not the runtime's: it is on every node with a driver, and it fits that
// driver whatever CUDA this program was built with. Adapter: CUDA types stay inside this folder.
#pragma once

#include <cuda.h>

#include <string>

#include "collectives-bench/shared_library.h"
#include "rendezvous/base/result.h"

namespace muster::bench::nccl {

class CudaDriver {
 public:
  // kNotFound where there is no driver; kUnsupported where it does not start or sees no device.
  // May take a second and hangs with a wedged driver.
  static Result<CudaDriver> open();

  int device_count() const { return device_count_; }

  // Ok, or the driver's text behind `what`.
  Status check(CUresult code, const char* what) const;

  decltype(&::cuDeviceGet) device_get = nullptr;
  decltype(&::cuDeviceGetName) device_name = nullptr;
  decltype(&::cuDeviceGetPCIBusId) device_bus = nullptr;
  decltype(&::cuDevicePrimaryCtxRetain) context_retain = nullptr;
  decltype(&::cuDevicePrimaryCtxRelease) context_release = nullptr;
  decltype(&::cuCtxSetCurrent) context_use = nullptr;
  decltype(&::cuStreamCreate) stream_create = nullptr;
  decltype(&::cuStreamDestroy) stream_destroy = nullptr;
  decltype(&::cuStreamQuery) stream_query = nullptr;
  decltype(&::cuEventCreate) event_create = nullptr;
  decltype(&::cuEventDestroy) event_destroy = nullptr;
  decltype(&::cuEventRecord) event_record = nullptr;
  decltype(&::cuEventElapsedTime) event_elapsed_ms = nullptr;
  decltype(&::cuMemGetInfo) memory_facts = nullptr;
  decltype(&::cuMemAlloc) memory_allocate = nullptr;
  decltype(&::cuMemFree) memory_free = nullptr;
  decltype(&::cuMemAllocHost) host_allocate = nullptr;
  decltype(&::cuMemFreeHost) host_free = nullptr;
  decltype(&::cuMemcpyHtoDAsync) copy_to_device = nullptr;
  decltype(&::cuMemcpyDtoHAsync) copy_to_host = nullptr;
  decltype(&::cuMemcpyDtoDAsync) copy_within = nullptr;
  decltype(&::cuMemsetD32Async) set_words = nullptr;

 private:
  explicit CudaDriver(SharedLibrary library) : library_(std::move(library)) {}
  Status bind_symbols();
  Status start();

  SharedLibrary library_;
  decltype(&::cuInit) initialize_ = nullptr;
  decltype(&::cuDeviceGetCount) count_ = nullptr;
  decltype(&::cuGetErrorString) error_string_ = nullptr;
  int device_count_ = 0;
};

}  // namespace muster::bench::nccl
