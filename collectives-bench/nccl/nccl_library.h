// NcclLibrary: the NCCL that the program will use, opened at run time.
#pragma once

#include <nccl.h>

#include <string>
#include <string_view>

#include "collectives-bench/shared_library.h"
#include "rendezvous/base/environment.h"
#include "rendezvous/base/result.h"

namespace muster::bench::nccl {

class NcclLibrary {
 public:
  // `file` if given, else $MUSTER_NCCL_LIBRARY, else libnccl.so.2 as the loader finds it.
  static Result<NcclLibrary> open(const std::string& file, const Environment& environment);

  const std::string& version() const { return version_; }  // "2.28.9"
  const std::string& path() const { return path_; }

  // Ok for success and "in progress"; otherwise NCCL's text behind `what`, with its last error.
  Status check(ncclResult_t code, const char* what) const;

  decltype(&::ncclGetUniqueId) unique_id = nullptr;
  decltype(&::ncclCommInitRankConfig) init_rank = nullptr;
  decltype(&::ncclCommGetAsyncError) async_error = nullptr;
  decltype(&::ncclCommCount) count = nullptr;
  decltype(&::ncclAllReduce) all_reduce = nullptr;
  decltype(&::ncclAllGather) all_gather = nullptr;
  decltype(&::ncclReduceScatter) reduce_scatter = nullptr;
  decltype(&::ncclBroadcast) broadcast = nullptr;
  decltype(&::ncclReduce) reduce = nullptr;
  decltype(&::ncclSend) send = nullptr;
  decltype(&::ncclRecv) receive = nullptr;
  decltype(&::ncclGroupStart) group_start = nullptr;
  decltype(&::ncclGroupEnd) group_end = nullptr;
  decltype(&::ncclCommFinalize) finalize = nullptr;
  decltype(&::ncclCommDestroy) destroy = nullptr;
  decltype(&::ncclCommAbort) abort = nullptr;

 private:
  explicit NcclLibrary(SharedLibrary library) : library_(std::move(library)) {}
  Status bind_symbols();

  SharedLibrary library_;
  std::string path_;
  std::string version_;
  decltype(&::ncclGetVersion) get_version_ = nullptr;
  decltype(&::ncclGetErrorString) error_string_ = nullptr;
  decltype(&::ncclGetLastError) last_error_ = nullptr;
};

// "22809" -> "2.28.9"; before 2.9 the middle has two digits less ("2804" -> "2.8.4"). Pure.
std::string nccl_version_text(int code);

// Which net plug-in the text of /proc/PID/maps shows: "libnccl-net-ofi.so with libfabric.so.1", or
// "built-in transport" when none is mapped. Pure.
std::string net_plugin_in(std::string_view maps);

}  // namespace muster::bench::nccl
