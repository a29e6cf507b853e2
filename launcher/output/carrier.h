// OutputCarrier: carries the lines of the workers to the console and to per-rank files.
//
// Shell on the caller's io_context; never blocks, whatever stdout is. A console that is a pipe,
// socket or terminal is written when it is ready, in writes of at most 1,024 bytes, each of whole
// lines; anything else (a file on a sick file system) through a FileWriter, as are per-rank files,
// which hold the workers' bytes unchanged.
//
// When a destination does not keep up, the worker's pipe is not read, so the worker waits; after
// `stall_limit` of that its lines are put aside in node-local files instead, as far as those take
// them, and dropped beyond, both counted in one line each; never the last 200.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "launcher/output/log_layout.h"
#include "launcher/output/prefix.h"
#include "launcher/output/spill.h"
#include "launcher/process/gang.h"
#include "rendezvous/base/ids.h"
#include "rendezvous/base/result.h"
#include "rendezvous/base/time.h"

namespace boost::asio {
class io_context;
}

namespace muster::output {

struct Route {
  bool console = true;
  bool file = false;
};

struct OutputOptions {
  std::string prefix{kDefaultPrefix};  // empty: none
  bool colour = false;
  std::string directory;  // of per-rank files; needed if any route has a file
  Route route;            // of every stream that `routes` does not name
  std::map<std::pair<LocalRank, Stream>, Route> routes;
  int out_fd = 1;
  int err_fd = 2;
  Duration stall_limit{10'000};
  Duration drain_limit{5'000};
  Duration end_limit{2'000};  // for the end of a pipe that a stray process keeps open
  SpillOptions spill;
};

struct WorkerFields {
  LocalRank local_rank{};
  Rank rank{};
  std::string host;
};

class OutputCarrier : public process::GangOutput {
 public:
  // Starts a FileWriter if one is needed. `on_error` gets one line per file that fails.
  static Result<std::unique_ptr<OutputCarrier>> create(
      boost::asio::io_context& io, OutputOptions options,
      std::function<void(const std::string&)> on_error);
  ~OutputCarrier() override;
  OutputCarrier(const OutputCarrier&) = delete;
  OutputCarrier& operator=(const OutputCarrier&) = delete;

  // Who the workers of the next gang are. Forgets the tails of the attempt before.
  void begin_attempt(Attempt attempt, std::vector<WorkerFields> workers);

  Result<Ends> open(LocalRank local_rank) override;
  void drain(std::function<void()> done) override;  // one at a time

  // A line of our own, to stderr, in order with the workers' lines. Never blocks. False: not taken,
  // since the last lines are out, or stderr is a file that nobody writes any more.
  bool print(std::string_view line);

  // The last lines of a stream, oldest first; they stay until the next begin_attempt.
  std::vector<std::string> last_lines(LocalRank local_rank, Stream stream, std::size_t count) const;
  // Lines that were dropped, over all ranks, in this attempt.
  std::size_t dropped_lines() const;

  // The end of the program: everything queued goes out, files are closed; `done` at the latest
  // after `end_limit` for lines put aside, twice `drain_limit` for the pipes and the console, and
  // once more for the files.
  void finish(std::function<void()> done);

 private:
  struct State;
  explicit OutputCarrier(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;  // pending handlers hold it too
};

}  // namespace muster::output
