// A CUDA driver library without a GPU: "device" memory is the host's, streams finish at once.
// For tests of the code that calls it. Built as libcuda.so.1.
#pragma GCC visibility push(default)
#include <cuda.h>
#pragma GCC visibility pop

#include <algorithm>
#include <cstdlib>
#include <cstring>

namespace {

void* host(CUdeviceptr pointer) {
  return reinterpret_cast<void*>(pointer);
}

// FAKE_CUDA=none: a driver that sees no device; a number: so many; else one.
int device_count() {
  const char* wish = std::getenv("FAKE_CUDA");
  if (wish == nullptr) return 1;
  return std::strcmp(wish, "none") == 0 ? 0 : std::max(std::atoi(wish), 1);
}

}  // namespace

CUresult cuInit(unsigned int) {
  return device_count() > 0 ? CUDA_SUCCESS : CUDA_ERROR_NO_DEVICE;
}
CUresult cuGetErrorString(CUresult, const char** text) {
  *text = "fake text of an error";
  return CUDA_SUCCESS;
}
CUresult cuDeviceGetCount(int* count) {
  *count = device_count();
  return CUDA_SUCCESS;
}
CUresult cuDeviceGet(CUdevice* device, int ordinal) {
  *device = ordinal;
  return CUDA_SUCCESS;
}
CUresult cuDeviceGetName(char* name, int size, CUdevice) {
  std::strncpy(name, "Fake GPU", static_cast<std::size_t>(size));
  return CUDA_SUCCESS;
}
CUresult cuDeviceGetPCIBusId(char* bus, int size, CUdevice) {
  std::strncpy(bus, "0000:00:00.0", static_cast<std::size_t>(size));
  return CUDA_SUCCESS;
}
CUresult cuDevicePrimaryCtxRetain(CUcontext* context, CUdevice) {
  *context = reinterpret_cast<CUcontext>(1);
  return CUDA_SUCCESS;
}
CUresult cuDevicePrimaryCtxRelease(CUdevice) {
  return CUDA_SUCCESS;
}
CUresult cuCtxSetCurrent(CUcontext) {
  return CUDA_SUCCESS;
}
CUresult cuStreamCreate(CUstream* stream, unsigned int) {
  *stream = reinterpret_cast<CUstream>(2);
  return CUDA_SUCCESS;
}
CUresult cuStreamDestroy(CUstream) {
  return CUDA_SUCCESS;
}
CUresult cuStreamQuery(CUstream) {
  return CUDA_SUCCESS;
}
CUresult cuEventCreate(CUevent* event, unsigned int) {
  *event = reinterpret_cast<CUevent>(std::malloc(1));
  return CUDA_SUCCESS;
}
CUresult cuEventDestroy(CUevent event) {
  std::free(event);
  return CUDA_SUCCESS;
}
CUresult cuEventRecord(CUevent, CUstream) {
  return CUDA_SUCCESS;
}
// Every event is 2 ms after the one before it.
// cuda.h of CUDA 13 maps the plain name to another, of CUDA 12 to itself.
#undef cuEventElapsedTime
extern "C" __attribute__((visibility("default"))) CUresult cuEventElapsedTime(float* milliseconds,
                                                                              CUevent, CUevent) {
  *milliseconds = 2;
  return CUDA_SUCCESS;
}
CUresult cuMemAlloc(CUdeviceptr* pointer, std::size_t size) {
  *pointer = reinterpret_cast<CUdeviceptr>(std::malloc(size));
  return *pointer == 0 ? CUDA_ERROR_OUT_OF_MEMORY : CUDA_SUCCESS;
}
CUresult cuMemFree(CUdeviceptr pointer) {
  std::free(host(pointer));
  return CUDA_SUCCESS;
}
CUresult cuMemcpyHtoDAsync(CUdeviceptr to, const void* from, std::size_t size, CUstream) {
  std::memcpy(host(to), from, size);
  return CUDA_SUCCESS;
}
CUresult cuMemcpyDtoHAsync(void* to, CUdeviceptr from, std::size_t size, CUstream) {
  std::memcpy(to, host(from), size);
  return CUDA_SUCCESS;
}
CUresult cuMemsetD32Async(CUdeviceptr to, unsigned int word, std::size_t count, CUstream) {
  std::fill_n(static_cast<unsigned int*>(host(to)), count, word);
  return CUDA_SUCCESS;
}
