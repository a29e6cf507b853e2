// A libnvidia-ml.so for tests. MUSTER_FAKE_NVML says how it behaves, words separated by blanks:
//
//   gpus=N            N GPUs, GPU-0000000i-..., listed in the reverse order of their bus ids
//   init=N, count=N   that function answers error N
//   lost=I            GPU I answers error 15; denied=I: error 4
//   garbage           UUIDs without an end, of bytes that no UUID has
//   hang, crash       in nvmlInit_v2
//   wedge             when it is waited for events
//   NAME=V, NAME@I=V  the value V for what NAME stands for below, of all GPUs or of GPU I alone
//   refuse=NAME       those functions answer error 3, not supported
//   xid@I=V           GPU I has one event, XID V
//
// Compiled with OLD_NVML it has nothing but what every driver has.
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
  const std::string text = orders();
  const std::string start = word + "=";
  for (std::size_t at = text.find(start); at != std::string::npos; at = text.find(start, at + 1)) {
    if (at == 0 || text[at - 1] == ' ') return std::atoi(text.c_str() + at + start.size());
  }
  return kNoSuchWord;
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

#ifndef OLD_NVML

}  // extern "C"

namespace {

int refused(const char* name) {
  return is_ordered((std::string("refuse=") + name).c_str()) ? 3 : 0;
}

template <class T>
int give(const char* name, void* device, T* value, unsigned long long healthy) {
  const int own = number_of(std::string(name) + "@" + std::to_string(index_of(device)));
  const int all = number_of(name);
  *value = static_cast<T>(own != kNoSuchWord   ? static_cast<unsigned int>(own)
                          : all != kNoSuchWord ? static_cast<unsigned int>(all)
                                               : healthy);
  return refused(name);
}

struct FieldValue {
  unsigned int field, scope;
  long long timestamp, latency;
  int type, code;
  unsigned long long value;
};

struct Memory {
  unsigned int version;
  unsigned long long total, reserved, free, used;
};

struct Process {
  unsigned int pid;
  unsigned long long memory;
  unsigned int gpu_instance, compute_instance;
};

struct Fabric {
  unsigned int version;
  unsigned char cluster[16];
  int status;
  unsigned int clique;
  unsigned char state;
  unsigned int health_mask;
  unsigned char summary;  // of version 3
};

struct Event {
  void* device;
  unsigned long long type, data;
  unsigned int gpu_instance, compute_instance;
};

}  // namespace

extern "C" {

int nvmlSystemGetDriverVersion(char* text, unsigned int length) {
  std::snprintf(text, length, "550.90.07");
  return 0;
}

int nvmlSystemGetCudaDriverVersion_v2(int* version) {
  *version = 12040;
  return 0;
}

int nvmlDeviceGetName(void*, char* text, unsigned int length) {
  std::snprintf(text, length, "NVIDIA H100 80GB HBM3");
  return 0;
}

int nvmlDeviceGetEccMode(void* device, unsigned int* current, unsigned int* pending) {
  *pending = 1;
  return give("ecc_mode", device, current, 1);
}

int nvmlDeviceGetTotalEccErrors(void* device, int type, int counter, unsigned long long* errors) {
  const char* const name = type == 0 ? "corrected" : counter == 0 ? "volatile" : "aggregate";
  return give(name, device, errors, 0);
}

int nvmlDeviceGetRemappedRows(void* device, unsigned int* corrected, unsigned int* uncorrected,
                              unsigned int* pending, unsigned int* failed) {
  *corrected = 0;
  give("rows", device, uncorrected, 0);
  give("pending", device, pending, 0);
  return give("failure", device, failed, 0);
}

int nvmlDeviceGetFieldValues(void* device, int count, FieldValue* values) {
  for (int i = 0; i < count; ++i) {
    const std::string name = "field" + std::to_string(values[i].field);
    values[i].type = values[i].field == 230 ? 1 : 3;
    values[i].code = give(name.c_str(), device, &values[i].value, 0);
  }
  return 0;
}

int nvmlDeviceGetNvLinkState(void* device, unsigned int link, unsigned int* is_active) {
  if (refused("nvlink") != 0) return 3;
  unsigned int down = 0;
  give("link_down", device, &down, 99);
  *is_active = link == down ? 0 : 1;
  return link < 18 ? 0 : 2;
}

int nvmlDeviceGetCurrPcieLinkWidth(void* device, unsigned int* width) {
  return give("width", device, width, 16);
}

int nvmlDeviceGetMaxPcieLinkWidth(void* device, unsigned int* width) {
  return give("max_width", device, width, 16);
}

int nvmlDeviceGetCurrPcieLinkGeneration(void* device, unsigned int* generation) {
  return give("generation", device, generation, 5);
}

int nvmlDeviceGetMaxPcieLinkGeneration(void* device, unsigned int* generation) {
  return give("max_generation", device, generation, 5);
}

int nvmlDeviceGetPcieReplayCounter(void* device, unsigned int* replays) {
  return give("replays", device, replays, 0);
}

int nvmlDeviceGetGpuFabricInfoV(void* device, Fabric* fabric) {
  const bool is_new = fabric->version == (40U | 3U << 24);
  if (is_new && is_ordered("old_fabric")) return 25;  // the version does not match
  if (!is_new && fabric->version != (36U | 2U << 24)) return 25;
  give("fabric_status", device, &fabric->status, 0);
  if (is_new) give("fabric_health", device, &fabric->summary, 1);
  return give("fabric_state", device, &fabric->state, 3);
}

int nvmlDeviceGetClockInfo(void* device, int, unsigned int* clock) {
  return give("clock", device, clock, 345);
}

int nvmlDeviceGetMaxClockInfo(void* device, int, unsigned int* clock) {
  return give("max_clock", device, clock, 1980);
}

int nvmlDeviceGetCurrentClocksEventReasons(void* device, unsigned long long* reasons) {
  return give("reasons", device, reasons, 1);
}

int nvmlDeviceGetTemperature(void* device, int, unsigned int* celsius) {
  return give("celsius", device, celsius, 34);
}

int nvmlDeviceGetMemoryInfo_v2(void* device, Memory* memory) {
  if (memory->version != (40U | 2U << 24)) return 25;
  return give("memory", device, &memory->used, 4U << 20);
}

int nvmlDeviceGetComputeRunningProcesses_v3(void* device, unsigned int* count, Process* processes) {
  unsigned int pid = 0;
  const int code = give("process", device, &pid, 0);
  *count = pid != 0 ? 1 : 0;
  if (pid != 0) processes[0].pid = pid;
  return code;
}

int nvmlDeviceGetMigMode(void* device, unsigned int* current, unsigned int* pending) {
  *pending = 0;
  return give("mig", device, current, 0);
}

int nvmlDeviceGetComputeMode(void* device, unsigned int* mode) {
  return give("compute_mode", device, mode, 0);
}

int nvmlDeviceGetPersistenceMode(void* device, unsigned int* mode) {
  return give("persistence", device, mode, 1);
}

int nvmlEventSetCreate(void** events) {
  static int set = 0;
  *events = &set;
  return 0;
}

int nvmlDeviceRegisterEvents(void*, unsigned long long types, void*) {
  return types == 8 ? refused("events") : 2;
}

int nvmlEventSetWait_v2(void* events, Event* event, unsigned int limit_ms) {
  while (is_ordered("wedge")) ::pause();
  int* const told = static_cast<int*>(events);
  for (unsigned int index = 0; *told == 0 && index < 8; ++index) {
    const int code = number_of("xid@" + std::to_string(index));
    if (code == kNoSuchWord) continue;
    *told = 1;
    *event = {reinterpret_cast<void*>(static_cast<std::size_t>(index) + 1), 8,
              static_cast<unsigned int>(code), 0, 0};
    return 0;
  }
  ::usleep(limit_ms * 1000);
  return 10;  // time is over
}

#endif  // OLD_NVML

}  // extern "C"
