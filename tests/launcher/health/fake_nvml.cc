// A libnvidia-ml.so for tests. MUSTER_FAKE_NVML says how it behaves, words separated by blanks:
//
//   gpus=N            N GPUs, GPU-0000000i-..., listed in the reverse order of their bus ids
//   init=N, count=N   that function answers error N
//   lost=I            GPU I answers error 15; denied=I: error 4
//   garbage           UUIDs without an end, of bytes that no UUID has
//   hang, crash       in nvmlInit_v2
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

constexpr int kNoSuchWord = -1;

const char* orders() {
  const char* const text = std::getenv("MUSTER_FAKE_NVML");
  return text != nullptr ? text : "";
}

bool is_ordered(const char* word) {
  return std::strstr(orders(), word) != nullptr;
}

int number_of(const std::string& word) {
  const char* const place = std::strstr(orders(), (word + "=").c_str());
  return place != nullptr ? std::atoi(place + word.size() + 1) : kNoSuchWord;
}

int or_success(int number) {
  return number == kNoSuchWord ? 0 : number;
}

unsigned int index_of(const void* device) {
  return static_cast<unsigned int>(reinterpret_cast<std::size_t>(device)) - 1;
}

struct Place {
  char legacy[16];
  unsigned int domain, bus, device, ids[2];
  char bus_id[32];
};

}  // namespace

extern "C" {

int nvmlInit_v2() {
  while (is_ordered("hang")) ::pause();
  if (is_ordered("crash")) std::abort();
  return or_success(number_of("init"));
}

int nvmlShutdown() {
  return 0;
}

const char* nvmlErrorString(int code) {
  if (code == 15) return "GPU is lost";
  return code == 999 ? "Unknown Error" : nullptr;
}

int nvmlDeviceGetCount_v2(unsigned int* count) {
  *count = static_cast<unsigned int>(or_success(number_of("gpus")));
  return or_success(number_of("count"));
}

int nvmlDeviceGetHandleByIndex_v2(unsigned int index, void** device) {
  if (static_cast<int>(index) == number_of("denied")) return 4;
  *device = reinterpret_cast<void*>(static_cast<std::size_t>(index) + 1);
  return 0;
}

int nvmlDeviceGetUUID(void* device, char* uuid, unsigned int length) {
  if (static_cast<int>(index_of(device)) == number_of("lost")) return 15;
  if (is_ordered("garbage")) {
    std::memset(uuid, 0x1b, length);
    return 0;
  }
  std::snprintf(uuid, length, "GPU-%08x-d72c-4106-c12f-20bd9faed9f6", index_of(device));
  return 0;
}

int nvmlDeviceGetPciInfo_v3(void* device, Place* place) {
  place->domain = 0;
  place->bus = 0x80 - index_of(device);
  place->device = 0;
  return 0;
}

}  // extern "C"
