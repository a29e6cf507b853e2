// LibraryWatch: says once which NCCL and network plug-in a training process has loaded.
//
// Looks a few times after the start of a worker, at it and its descendants, in a child process with
// a deadline: reading the maps of a process that is stuck in a page fault may block. A look that
// fails is passed over in silence; the next one may succeed. Shell on the caller's io_context.
#pragma once

#include <sys/types.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "launcher/health/training_libraries.h"
#include "rendezvous/base/time.h"

namespace boost::asio {
class io_context;
}

namespace muster::health {

struct LibraryWatchOptions {
  // After the start; the last one settles that there is no plug-in.
  std::vector<Duration> looks{Duration{3'000}, Duration{15'000}, Duration{60'000}};
  Duration limit{5'000};  // of one look
  CheckedLibrary checked{};
};

class LibraryWatch {
 public:
  // `report` comes from the loop, at most once, with one line ("training uses NCCL ...").
  using Report = std::function<void(const std::string& line)>;

  LibraryWatch(boost::asio::io_context& loop, pid_t worker, LibraryWatchOptions options,
               Report report);
  ~LibraryWatch();  // `report` does not come any more
  LibraryWatch(const LibraryWatch&) = delete;
  LibraryWatch& operator=(const LibraryWatch&) = delete;

 private:
  class Body;
  std::shared_ptr<Body> body_;  // pending handlers hold it too
};

// The selected files in the maps of `worker` and its descendants. May block: for a child process.
std::string list_mapped_files(pid_t worker);

}  // namespace muster::health
