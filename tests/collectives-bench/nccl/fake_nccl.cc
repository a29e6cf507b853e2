// An NCCL that moves and adds host memory of processes on one machine through a shared file, and
// misbehaves on order. For tests of the code that calls it. Built as libnccl.so.2.
//
// As NCCL does with a communicator that does not block: what it was given is "in progress" until
// ncclCommGetAsyncError said otherwise, more than once, and any other call before that is refused
// (ncclInvalidArgument). One rank alone is served at once. Sends and receives stand in a group;
// in place means the addresses that nccl.h names; a communicator is finalized once.
//
// FAKE_NCCL=hang-init: communicators never become ready. hang-call: no operation returns.
// peer-lost: the second operation fails as NCCL does when a peer is gone. corrupt: one element of
// every result is off by one. slow: an operation takes 5 ms.
//
// With NCCL_DEBUG=INFO it talks as NCCL does, into NCCL_DEBUG_FILE or to stdout: of TCP sockets, of
// EFA with FAKE_NCCL_NETWORK=efa, of nothing at all with FAKE_NCCL_NETWORK=silent.
#pragma GCC visibility push(default)
#include <nccl.h>
#pragma GCC visibility pop

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#include "tests/collectives-bench/nccl/fake_stream.h"

namespace {

constexpr int kQuestions = 3;  // until something given is done
constexpr std::size_t kSlotElements = 64 * 1024;

bool ordered(const char* misbehaviour) {
  const char* order = std::getenv("FAKE_NCCL");
  return order != nullptr && std::strcmp(order, misbehaviour) == 0;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// Opens the file by its name, at the first word, and lets it be written by the line.
void talk(const char* subsystem, const std::string& line) {
  static std::FILE* file = nullptr;
  if (variable("NCCL_DEBUG") != "INFO") return;
  if (variable("NCCL_DEBUG_SUBSYS").find(subsystem) == std::string::npos) return;
  if (file == nullptr) {
    const std::string name = variable("NCCL_DEBUG_FILE");
    file = name.empty() ? stdout : std::fopen(name.c_str(), "w");
    if (file == nullptr) file = stdout;
    ::setvbuf(file, nullptr, _IOLBF, BUFSIZ);
  }
  std::fprintf(file, "fake:%d:%d [0] NCCL INFO %s\n", ::getpid(), ::getpid(), line.c_str());
}

void introduce(int rank) {
  const std::string network = variable("FAKE_NCCL_NETWORK");
  if (network == "silent") return;
  if (rank == 0) talk("INIT", "NCCL version 2.28.9+cuda13.0");
  if (network == "efa") {
    talk("NET", "NET/OFI Initializing aws-ofi-nccl 1.16.3");
    talk("NET", "NET/OFI Selected provider is efa, fabric is efa-direct (found 32 nics)");
  }
  talk("INIT", network == "efa" ? "Using network Libfabric" : "Using network Socket");
  talk("INIT", "NVLS multicast support is available on dev 0");
}

}  // namespace

struct ncclComm {
  int rank = 0;
  int size = 0;
  void* memory = nullptr;
  int operations = 0;
  int questions_left = 0;
  bool is_finalized = false;

  bool is_ready() const {
    if (questions_left != 0) std::fputs("fake NCCL: used before it was ready\n", stderr);
    return questions_left == 0;
  }
  ncclResult_t begin() {
    questions_left = kQuestions;
    return ncclInProgress;
  }
  std::atomic<unsigned>& tickets() { return *static_cast<std::atomic<unsigned>*>(memory); }
  float* slot(int of) {
    return reinterpret_cast<float*>(static_cast<char*>(memory) + 64) +
           static_cast<std::size_t>(of) * kSlotElements;
  }
  void barrier() {
    const auto all = static_cast<unsigned>(size);
    const unsigned target = (tickets().fetch_add(1) / all + 1) * all;
    while (tickets().load() < target) ::sched_yield();
  }
};

ncclResult_t ncclGetVersion(int* version) {
  *version = 22809;
  return ncclSuccess;
}
const char* ncclGetErrorString(ncclResult_t code) {
  return code == ncclRemoteError ? "remote process exited" : "fake error";
}
const char* ncclGetLastError(ncclComm_t) {
  return "";
}

ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  std::snprintf(id->internal, sizeof id->internal, "/muster-fake-nccl-%d", ::getpid());
  return ncclSuccess;
}

ncclResult_t ncclCommInitRankConfig(ncclComm_t* comm, int size, ncclUniqueId id, int rank,
                                    ncclConfig_t* config) {
  if (config->blocking != 0) return ncclInvalidArgument;
  introduce(rank);
  auto* made = new ncclComm;
  made->rank = rank;
  made->size = size;
  const std::size_t bytes = 64 + static_cast<std::size_t>(size) * kSlotElements * sizeof(float);
  const int file = ::shm_open(id.internal, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0 || ::ftruncate(file, static_cast<off_t>(bytes)) != 0) return ncclSystemError;
  made->memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ::close(file);
  *comm = made;
  if (!ordered("hang-init")) made->barrier();
  if (rank == 0) ::shm_unlink(id.internal);
  return made->begin();
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t* state) {
  if (comm->questions_left > 0 && !ordered("hang-init")) --comm->questions_left;
  *state = comm->questions_left > 0 ? ncclInProgress : ncclSuccess;
  if (ordered("peer-lost") && comm->operations >= 2) *state = ncclRemoteError;
  return ncclSuccess;
}
ncclResult_t ncclCommCount(const ncclComm_t comm, int* count) {
  if (!comm->is_ready()) return ncclInvalidArgument;
  *count = comm->size;
  return ncclSuccess;
}

namespace {

// Runs `body(part, done)` between two barriers for every piece of the inputs of all ranks, which
// then stand in the slots.
template <class Body>
ncclResult_t with_slots(const void* input, std::size_t count, ncclComm_t comm, Body body) {
  if (ordered("peer-lost") && ++comm->operations >= 2) return comm->begin();
  const auto* in = static_cast<const float*>(input);
  for (std::size_t done = 0; done < count; done += kSlotElements) {
    const std::size_t part = std::min(kSlotElements, count - done);
    std::copy_n(in + done, part, comm->slot(comm->rank));
    comm->barrier();
    body(part, done);
    comm->barrier();
  }
  return comm->size == 1 ? ncclSuccess : comm->begin();
}

// At the beginning of every operation.
bool may_begin(ncclComm_t comm, cudaStream_t stream) {
  muster_fake::note_call('o');
  while (ordered("hang-call")) ::pause();
  if (ordered("slow")) {
    const timespec five_ms = {0, 5'000'000};
    ::nanosleep(&five_ms, nullptr);
  }
  reinterpret_cast<muster_fake::Stream*>(stream)->add_work();
  return comm->is_ready();
}

// `part` may lie in `whole` at the rank's place only.
bool is_in_place_rightly(const void* part, const void* whole, std::size_t count, ncclComm_t comm) {
  const auto* inner = static_cast<const float*>(part);
  const auto* outer = static_cast<const float*>(whole);
  const auto ranks = static_cast<std::size_t>(comm->size);
  if (inner + count <= outer || outer + count * ranks <= inner) return true;
  return inner == outer + static_cast<std::size_t>(comm->rank) * count;
}

float sum_of(ncclComm_t comm, std::size_t place) {
  float sum = 0;
  for (int rank = 0; rank < comm->size; ++rank) sum += comm->slot(rank)[place];
  return sum;
}

void corrupt_if_ordered(void* output, std::size_t count) {
  if (ordered("corrupt")) static_cast<float*>(output)[count / 2] += 1;
}

bool is_float_sum(ncclDataType_t type, ncclRedOp_t operation) {
  return type == ncclFloat && operation == ncclSum;
}

struct Part {  // of a group: what goes to a peer, or comes from it
  void* memory;
  std::size_t count;
  int peer;
};
ncclComm_t grouped = nullptr;
cudaStream_t grouped_stream = nullptr;
bool in_group = false;
std::vector<Part> sends;
std::vector<Part> receives;

}  // namespace

ncclResult_t ncclAllReduce(const void* input, void* output, std::size_t count, ncclDataType_t type,
                           ncclRedOp_t operation, ncclComm_t comm, cudaStream_t stream) {
  if (!may_begin(comm, stream) || !is_float_sum(type, operation)) return ncclInvalidArgument;
  if (comm->rank == 0) {
    talk("TUNING", "AllReduce: " + std::to_string(count * sizeof(float)) + " Bytes -> Algo " +
                       (count < 1024 ? "TREE" : "NVLS") + " proto SIMPLE channel{Lo..Hi}={0..1}");
  }
  auto* out = static_cast<float*>(output);
  const ncclResult_t code = with_slots(input, count, comm, [&](std::size_t part, std::size_t done) {
    for (std::size_t i = 0; i < part; ++i) out[done + i] = sum_of(comm, i);
  });
  corrupt_if_ordered(output, count);
  return code;
}

ncclResult_t ncclAllGather(const void* input, void* output, std::size_t count, ncclDataType_t type,
                           ncclComm_t comm, cudaStream_t stream) {
  if (!may_begin(comm, stream) || type != ncclFloat) return ncclInvalidArgument;
  if (!is_in_place_rightly(input, output, count, comm)) return ncclInvalidArgument;
  auto* out = static_cast<float*>(output);
  const ncclResult_t code = with_slots(input, count, comm, [&](std::size_t part, std::size_t done) {
    for (int rank = 0; rank < comm->size; ++rank) {
      std::copy_n(comm->slot(rank), part, out + static_cast<std::size_t>(rank) * count + done);
    }
  });
  corrupt_if_ordered(output, count);
  return code;
}

ncclResult_t ncclReduceScatter(const void* input, void* output, std::size_t count,
                               ncclDataType_t type, ncclRedOp_t operation, ncclComm_t comm,
                               cudaStream_t stream) {
  if (!may_begin(comm, stream) || !is_float_sum(type, operation)) return ncclInvalidArgument;
  if (!is_in_place_rightly(output, input, count, comm)) return ncclInvalidArgument;
  const std::size_t begin = static_cast<std::size_t>(comm->rank) * count;
  const std::size_t all = static_cast<std::size_t>(comm->size) * count;
  std::vector<float> own(count);
  const ncclResult_t code = with_slots(input, all, comm, [&](std::size_t part, std::size_t done) {
    for (std::size_t i = 0; i < part; ++i) {
      const std::size_t place = done + i;
      if (place >= begin && place < begin + count) own[place - begin] = sum_of(comm, i);
    }
  });
  std::copy(own.begin(), own.end(), static_cast<float*>(output));
  corrupt_if_ordered(output, count);
  return code;
}

ncclResult_t ncclBroadcast(const void* input, void* output, std::size_t count, ncclDataType_t type,
                           int root, ncclComm_t comm, cudaStream_t stream) {
  if (!may_begin(comm, stream) || type != ncclFloat) return ncclInvalidArgument;
  auto* out = static_cast<float*>(output);
  const ncclResult_t code = with_slots(input, count, comm, [&](std::size_t part, std::size_t done) {
    std::copy_n(comm->slot(root), part, out + done);
  });
  corrupt_if_ordered(output, count);
  return code;
}

ncclResult_t ncclReduce(const void* input, void* output, std::size_t count, ncclDataType_t type,
                        ncclRedOp_t operation, int root, ncclComm_t comm, cudaStream_t stream) {
  if (!may_begin(comm, stream) || !is_float_sum(type, operation)) return ncclInvalidArgument;
  auto* out = static_cast<float*>(output);
  const ncclResult_t code = with_slots(input, count, comm, [&](std::size_t part, std::size_t done) {
    for (std::size_t i = 0; i < part && comm->rank == root; ++i) {
      out[done + i] = sum_of(comm, i);
    }
  });
  if (comm->rank == root) corrupt_if_ordered(output, count);
  return code;
}

ncclResult_t ncclGroupStart() {
  in_group = true;
  return ncclSuccess;
}
ncclResult_t ncclSend(const void* input, std::size_t count, ncclDataType_t type, int peer,
                      ncclComm_t comm, cudaStream_t stream) {
  if (!in_group || !comm->is_ready() || type != ncclFloat) return ncclInvalidUsage;
  grouped = comm;
  grouped_stream = stream;
  sends.push_back({const_cast<void*>(input), count, peer});
  return ncclSuccess;
}
ncclResult_t ncclRecv(void* output, std::size_t count, ncclDataType_t type, int peer,
                      ncclComm_t comm, cudaStream_t stream) {
  if (!in_group || !comm->is_ready() || type != ncclFloat) return ncclInvalidUsage;
  grouped = comm;
  grouped_stream = stream;
  receives.push_back({output, count, peer});
  return ncclSuccess;
}

// In turns: each rank shows in its slot what goes to the first peer, to the second, ...
ncclResult_t ncclGroupEnd() {
  in_group = false;
  if (!may_begin(grouped, grouped_stream)) return ncclInvalidArgument;
  const std::size_t count = sends.front().count;
  for (int turn = 0; turn < grouped->size; ++turn) {
    const int to = (grouped->rank + turn) % grouped->size;
    const int from = (grouped->rank + grouped->size - turn) % grouped->size;
    static std::vector<float> nothing;
    nothing.resize(count);
    const void* shown = nothing.data();
    void* wanted = nullptr;
    for (const Part& part : sends) shown = part.peer == to ? part.memory : shown;
    for (const Part& part : receives) wanted = part.peer == from ? part.memory : wanted;
    with_slots(shown, count, grouped, [&](std::size_t part, std::size_t done) {
      if (wanted != nullptr) {
        std::copy_n(grouped->slot(from), part, static_cast<float*>(wanted) + done);
      }
    });
  }
  corrupt_if_ordered(receives.front().memory, count);
  sends.clear();
  receives.clear();
  return grouped->begin();
}

namespace {

void give_back(ncclComm_t comm) {
  const std::size_t bytes =
      64 + static_cast<std::size_t>(comm->size) * kSlotElements * sizeof(float);
  ::munmap(comm->memory, bytes);
  delete comm;
}

}  // namespace

ncclResult_t ncclCommFinalize(ncclComm_t comm) {
  if (!comm->is_ready() || comm->is_finalized) return ncclInvalidArgument;
  comm->is_finalized = true;
  return comm->begin();
}
ncclResult_t ncclCommDestroy(ncclComm_t comm) {
  if (!comm->is_ready()) return ncclInvalidArgument;
  give_back(comm);
  return ncclSuccess;
}
ncclResult_t ncclCommAbort(ncclComm_t comm) {
  std::fputs("fake NCCL: aborted\n", stderr);
  give_back(comm);
  return ncclSuccess;
}
