// An NCCL that adds host memory of processes on one machine through a shared file, and misbehaves
// on order. For tests of the code that calls it. Built as libnccl.so.2.
//
// FAKE_NCCL=hang-init: communicators never become ready. hang-call: the all-reduce never returns.
// peer-lost: the second all-reduce fails as NCCL does when a peer is gone. corrupt: one element of
// every result is off by one.
#pragma GCC visibility push(default)
#include <nccl.h>
#pragma GCC visibility pop

#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>

namespace {

constexpr std::size_t kSlotElements = 64 * 1024;

bool ordered(const char* misbehaviour) {
  const char* order = std::getenv("FAKE_NCCL");
  return order != nullptr && std::strcmp(order, misbehaviour) == 0;
}

}  // namespace

struct ncclComm {
  int rank = 0;
  int size = 0;
  void* memory = nullptr;
  int operations = 0;

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
  auto* made = new ncclComm;
  made->rank = rank;
  made->size = size;
  const std::size_t bytes = 64 + static_cast<std::size_t>(size) * kSlotElements * sizeof(float);
  const int file = ::shm_open(id.internal, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0 || ::ftruncate(file, static_cast<off_t>(bytes)) != 0) return ncclSystemError;
  made->memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  ::close(file);
  *comm = made;
  if (ordered("hang-init")) {
    if (rank == 0) ::shm_unlink(id.internal);
    return ncclInProgress;
  }
  made->barrier();
  if (rank == 0) ::shm_unlink(id.internal);
  return ncclInProgress;
}

ncclResult_t ncclCommGetAsyncError(ncclComm_t comm, ncclResult_t* state) {
  *state = ordered("hang-init") ? ncclInProgress : ncclSuccess;
  if (ordered("peer-lost") && comm->operations >= 2) *state = ncclRemoteError;
  return ncclSuccess;
}
ncclResult_t ncclCommCount(const ncclComm_t comm, int* count) {
  *count = comm->size;
  return ncclSuccess;
}

ncclResult_t ncclAllReduce(const void* input, void* output, std::size_t count, ncclDataType_t type,
                           ncclRedOp_t operation, ncclComm_t comm, cudaStream_t) {
  if (type != ncclFloat || operation != ncclSum) return ncclInvalidArgument;
  while (ordered("hang-call")) ::pause();
  if (ordered("peer-lost") && ++comm->operations >= 2) return ncclInProgress;
  const auto* in = static_cast<const float*>(input);
  auto* out = static_cast<float*>(output);
  for (std::size_t done = 0; done < count; done += kSlotElements) {
    const std::size_t part = std::min(kSlotElements, count - done);
    std::copy_n(in + done, part, comm->slot(comm->rank));
    comm->barrier();
    for (std::size_t i = 0; i < part; ++i) {
      float sum = 0;
      for (int rank = 0; rank < comm->size; ++rank) sum += comm->slot(rank)[i];
      out[done + i] = sum;
    }
    comm->barrier();
  }
  if (ordered("corrupt")) out[count / 2] += 1;
  return ncclInProgress;
}

ncclResult_t ncclCommFinalize(ncclComm_t) {
  return ncclInProgress;
}
ncclResult_t ncclCommDestroy(ncclComm_t comm) {
  const std::size_t bytes =
      64 + static_cast<std::size_t>(comm->size) * kSlotElements * sizeof(float);
  ::munmap(comm->memory, bytes);
  delete comm;
  return ncclSuccess;
}
ncclResult_t ncclCommAbort(ncclComm_t comm) {
  std::fputs("fake NCCL: aborted\n", stderr);
  return ncclCommDestroy(comm);
}
