// DebugLines: catches what NCCL says about itself (nccl_lines.h reads it).
//
// NCCL writes its lines to the file that NCCL_DEBUG_FILE names, which it opens by that name: here
// /proc/self/fd/N of a file in memory, so that no file system is touched and nobody else's output
// is mixed in. Whoever sets NCCL_DEBUG himself wants those lines where he asked for them: then
// nothing is caught.
#pragma once

#include <string>

#include "rendezvous/base/environment.h"
#include "rendezvous/base/fd.h"

namespace muster::bench::nccl {

inline constexpr std::size_t kMaxDebugBytes = 4U << 20;  // that are read

class DebugLines {
 public:
  // Sets NCCL_DEBUG and its companions in this process, unless `environment` has NCCL_DEBUG. To be
  // called before NCCL's first word; a failure only means that nothing is caught.
  // `tells_algorithm`: a line for every operation too.
  void capture(const Environment& environment, bool tells_algorithm);

  // All that was said so far, up to kMaxDebugBytes; "" when nothing is caught. NCCL may go on.
  std::string read() const;

 private:
  Fd file_;  // as long as NCCL may open it
};

}  // namespace muster::bench::nccl
