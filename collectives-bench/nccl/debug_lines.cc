#include "collectives-bench/nccl/debug_lines.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

namespace muster::bench::nccl {

void DebugLines::capture(const Environment& environment, bool tells_algorithm) {
  if (environment.has("NCCL_DEBUG")) return;
  Fd file(::memfd_create("nccl-debug", MFD_CLOEXEC));
  const std::string name = "/proc/self/fd/" + std::to_string(file.get());
  // Without /proc NCCL would fall back to stdout.
  if (!file.is_open() || ::access(name.c_str(), W_OK) != 0) return;
  ::setenv("NCCL_DEBUG", "INFO", 1);
  ::setenv("NCCL_DEBUG_SUBSYS", tells_algorithm ? "INIT,NET,TUNING" : "INIT,NET", 1);
  ::setenv("NCCL_DEBUG_FILE", name.c_str(), 1);
  file_ = std::move(file);
}

std::string DebugLines::read() const {
  struct stat facts {};
  if (!file_.is_open() || ::fstat(file_.get(), &facts) != 0) return "";
  std::string text(std::min(static_cast<std::size_t>(facts.st_size), kMaxDebugBytes), '\0');
  std::size_t filled = 0;
  while (filled < text.size()) {
    const ssize_t size = ::pread(file_.get(), text.data() + filled, text.size() - filled,
                                 static_cast<off_t>(filled));
    if (size <= 0) break;
    filled += static_cast<std::size_t>(size);
  }
  text.resize(filled);
  return text;
}

}  // namespace muster::bench::nccl
