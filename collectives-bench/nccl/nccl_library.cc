#include "collectives-bench/nccl/nccl_library.h"

#include <fmt/format.h>

#include <string_view>

namespace muster::bench::nccl {

namespace {

// The file name of a maps line, "" for lines without one.
std::string_view mapped_name(std::string_view line) {
  const std::size_t slash = line.rfind('/');
  return slash == std::string_view::npos ? std::string_view() : line.substr(slash + 1);
}

}  // namespace

Result<NcclLibrary> NcclLibrary::open(const std::string& file, const Environment& environment) {
  const std::string wanted =
      file.empty() ? environment.get_or("MUSTER_NCCL_LIBRARY", "libnccl.so.2") : file;
  auto opened = SharedLibrary::open(wanted);
  if (!opened) {
    return failure(opened.error().within("no NCCL (name its file with --nccl-library)"));
  }
  NcclLibrary library(std::move(*opened));
  MUSTER_RETURN_IF_ERROR(library.bind_symbols());
  int version = 0;
  MUSTER_RETURN_IF_ERROR(library.check(library.get_version_(&version), "NCCL version"));
  library.version_ = nccl_version_text(version);
  library.path_ = library.library_.file_of(reinterpret_cast<const void*>(library.get_version_));
  return library;
}

// ncclCommInitRankConfig and ncclCommFinalize came with NCCL 2.14.
Status NcclLibrary::bind_symbols() {
  MUSTER_RETURN_IF_ERROR(library_.bind("ncclGetVersion", get_version_));
  MUSTER_RETURN_IF_ERROR(library_.bind("ncclGetErrorString", error_string_));
  MUSTER_RETURN_IF_ERROR(library_.bind("ncclGetLastError", last_error_));
  MUSTER_RETURN_IF_ERROR(library_.bind("ncclGetUniqueId", unique_id));
  MUSTER_RETURN_IF_ERROR(library_.bind("ncclCommInitRankConfig", init_rank));
  MUSTER_RETURN_IF_ERROR(library_.bind("ncclCommGetAsyncError", async_error));
  MUSTER_RETURN_IF_ERROR(library_.bind("ncclCommCount", count));
  MUSTER_RETURN_IF_ERROR(library_.bind("ncclAllReduce", all_reduce));
  MUSTER_RETURN_IF_ERROR(library_.bind("ncclAllGather", all_gather));
  MUSTER_RETURN_IF_ERROR(library_.bind("ncclReduceScatter", reduce_scatter));
  MUSTER_RETURN_IF_ERROR(library_.bind("ncclBroadcast", broadcast));
  MUSTER_RETURN_IF_ERROR(library_.bind("ncclReduce", reduce));
  MUSTER_RETURN_IF_ERROR(library_.bind("ncclSend", send));
  MUSTER_RETURN_IF_ERROR(library_.bind("ncclRecv", receive));
  MUSTER_RETURN_IF_ERROR(library_.bind("ncclGroupStart", group_start));
  MUSTER_RETURN_IF_ERROR(library_.bind("ncclGroupEnd", group_end));
  MUSTER_RETURN_IF_ERROR(library_.bind("ncclCommFinalize", finalize));
  MUSTER_RETURN_IF_ERROR(library_.bind("ncclCommDestroy", destroy));
  return library_.bind("ncclCommAbort", abort);
}

Status NcclLibrary::check(ncclResult_t code, const char* what) const {
  if (code == ncclSuccess || code == ncclInProgress) return {};
  const char* last = last_error_(nullptr);
  const std::string detail = last == nullptr || *last == '\0' ? "" : fmt::format(" ({})", last);
  const bool peer = code == ncclRemoteError;
  return failure(peer ? ErrorCode::kUnavailable : ErrorCode::kSystem,
                 fmt::format("{}: NCCL {}: {}{}", what, version_, error_string_(code), detail));
}

std::string nccl_version_text(int code) {
  const int major = code >= 10000 ? code / 10000 : code / 1000;
  const int minor = code >= 10000 ? code / 100 % 100 : code / 100 % 10;
  return fmt::format("{}.{}.{}", major, minor, code % 100);
}

std::string net_plugin_in(std::string_view maps) {
  std::string_view plugin;
  std::string_view fabric;
  while (!maps.empty()) {
    const std::size_t end = maps.find('\n');
    const std::string_view name = mapped_name(maps.substr(0, end));
    if (name.starts_with("libnccl-net")) plugin = name;
    if (name.starts_with("libfabric.so")) fabric = name;
    if (end == std::string_view::npos) break;
    maps.remove_prefix(end + 1);
  }
  if (plugin.empty()) return "built-in transport";
  return fabric.empty() ? std::string(plugin) : fmt::format("{} with {}", plugin, fabric);
}

}  // namespace muster::bench::nccl
