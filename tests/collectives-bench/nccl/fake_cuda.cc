// A CUDA driver library without a GPU: "device" memory is the host's, work is done at once. It
// refuses what the real one refuses: calls before cuInit or without a current context, the time of
// events that were not recorded or not reached.
// For tests of the code that calls it. Built as libcuda.so.1.
#pragma GCC visibility push(default)
#include <cuda.h>
#pragma GCC visibility pop

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "tests/collectives-bench/nccl/fake_stream.h"

using muster_fake::Stream;

namespace {

bool initialized = false;
CUcontext current = nullptr;

struct Event {
  Stream* stream = nullptr;  // on which it was recorded
};

void* host(CUdeviceptr pointer) {
  return reinterpret_cast<void*>(pointer);
}

Stream* stream_of(CUstream stream) {
  return reinterpret_cast<Stream*>(stream);
}

CUresult state() {
  if (!initialized) return CUDA_ERROR_NOT_INITIALIZED;
  return current == nullptr ? CUDA_ERROR_INVALID_CONTEXT : CUDA_SUCCESS;
}

// FAKE_CUDA=none: a driver that sees no device; a number: so many; else one.
int device_count() {
  const char* wish = std::getenv("FAKE_CUDA");
  if (wish == nullptr) return 1;
  return std::strcmp(wish, "none") == 0 ? 0 : std::max(std::atoi(wish), 1);
}

// FAKE_CUDA_MEMORY: bytes that the device has free; else 16 GiB.
std::size_t memory_bytes() {
  const char* wish = std::getenv("FAKE_CUDA_MEMORY");
  return wish == nullptr ? std::size_t{16} << 30 : std::strtoull(wish, nullptr, 10);
}

template <class Work>
CUresult enqueue(CUstream stream, Work work) {
  if (state() != CUDA_SUCCESS) return state();
  work();
  stream_of(stream)->add_work();
  return CUDA_SUCCESS;
}

}  // namespace

CUresult cuInit(unsigned int) {
  initialized = device_count() > 0;
  return initialized ? CUDA_SUCCESS : CUDA_ERROR_NO_DEVICE;
}
CUresult cuGetErrorString(CUresult, const char** text) {
  *text = "fake text of an error";
  return CUDA_SUCCESS;
}
CUresult cuDeviceGetCount(int* count) {
  *count = device_count();
  return initialized ? CUDA_SUCCESS : CUDA_ERROR_NOT_INITIALIZED;
}
CUresult cuDeviceGet(CUdevice* device, int ordinal) {
  if (ordinal >= device_count()) return CUDA_ERROR_INVALID_DEVICE;
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
  return initialized ? CUDA_SUCCESS : CUDA_ERROR_NOT_INITIALIZED;
}
CUresult cuDevicePrimaryCtxRelease(CUdevice) {
  current = nullptr;
  return CUDA_SUCCESS;
}
CUresult cuCtxSetCurrent(CUcontext context) {
  current = context;
  return CUDA_SUCCESS;
}
CUresult cuStreamCreate(CUstream* stream, unsigned int) {
  *stream = reinterpret_cast<CUstream>(new Stream);
  return state();
}
CUresult cuStreamDestroy(CUstream stream) {
  delete stream_of(stream);
  return state();
}
CUresult cuStreamQuery(CUstream stream) {
  if (state() != CUDA_SUCCESS) return state();
  Stream* asked = stream_of(stream);
  if (!asked->has_work()) return CUDA_SUCCESS;
  --asked->questions_left;
  return CUDA_ERROR_NOT_READY;
}
CUresult cuEventCreate(CUevent* event, unsigned int) {
  *event = reinterpret_cast<CUevent>(new Event);
  return state();
}
CUresult cuEventDestroy(CUevent event) {
  delete reinterpret_cast<Event*>(event);
  return state();
}
CUresult cuEventRecord(CUevent event, CUstream stream) {
  muster_fake::note_call('e');
  return enqueue(stream, [&] { reinterpret_cast<Event*>(event)->stream = stream_of(stream); });
}
// Every event is 2 ms after the one before it.
// cuda.h of CUDA 13 maps the plain name to another, of CUDA 12 to itself.
#undef cuEventElapsedTime
extern "C" __attribute__((visibility("default"))) CUresult cuEventElapsedTime(float* milliseconds,
                                                                              CUevent from,
                                                                              CUevent to) {
  for (const CUevent event : {from, to}) {
    const Stream* stream = reinterpret_cast<Event*>(event)->stream;
    if (stream == nullptr) return CUDA_ERROR_INVALID_HANDLE;
    if (stream->has_work()) return CUDA_ERROR_NOT_READY;
  }
  *milliseconds = 2;
  return CUDA_SUCCESS;
}
CUresult cuMemGetInfo(std::size_t* free_bytes, std::size_t* all_bytes) {
  *free_bytes = *all_bytes = memory_bytes();
  return state();
}
CUresult cuMemAlloc(CUdeviceptr* pointer, std::size_t size) {
  if (state() != CUDA_SUCCESS) return state();
  if (size > memory_bytes()) return CUDA_ERROR_OUT_OF_MEMORY;
  *pointer = reinterpret_cast<CUdeviceptr>(std::malloc(size));
  return *pointer == 0 ? CUDA_ERROR_OUT_OF_MEMORY : CUDA_SUCCESS;
}
CUresult cuMemFree(CUdeviceptr pointer) {
  std::free(host(pointer));
  return state();
}
CUresult cuMemAllocHost(void** pointer, std::size_t size) {
  *pointer = std::malloc(size);
  return state();
}
CUresult cuMemFreeHost(void* pointer) {
  std::free(pointer);
  return state();
}
CUresult cuMemcpyHtoDAsync(CUdeviceptr to, const void* from, std::size_t size, CUstream stream) {
  return enqueue(stream, [&] { std::memcpy(host(to), from, size); });
}
CUresult cuMemcpyDtoHAsync(void* to, CUdeviceptr from, std::size_t size, CUstream stream) {
  return enqueue(stream, [&] { std::memcpy(to, host(from), size); });
}
CUresult cuMemcpyDtoDAsync(CUdeviceptr to, CUdeviceptr from, std::size_t size, CUstream stream) {
  return enqueue(stream, [&] { std::memcpy(host(to), host(from), size); });
}
CUresult cuMemsetD32Async(CUdeviceptr to, unsigned int word, std::size_t count, CUstream stream) {
  return enqueue(stream, [&] { std::fill_n(static_cast<unsigned int*>(host(to)), count, word); });
}
