// Spill: node-local files for the lines that a destination which stands still would lose, one file
// per stream and destination, made with its first line.
//
// Shell on the caller's io_context; never blocks. It has a FileWriter of its own, forked with the
// first line, since the one of the logs may be what stands still. The files belong to the user and
// stay; nobody else can read them, or have laid something in their place before.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "launcher/output/file_writer.h"
#include "launcher/output/outlet.h"
#include "rendezvous/base/time.h"

namespace boost::asio {
class io_context;
}

namespace muster::output {

// Minutes of a loud job; little beside the memory of a node that trains, should /tmp be memory. Of
// what is free the writer child takes an eighth at most.
inline constexpr std::size_t kSpillLimit = 256 * 1024 * 1024;

struct SpillOptions {
  std::string path;  // how the name of every file begins; empty: nothing is put aside
  std::string host;  // that they are on
  std::size_t limit = kSpillLimit;  // in bytes, over all files
  Duration stall_limit{10'000};     // without progress: then nobody waits for the files
};

class Spill {
 public:
  // `on_low`: of the files' outlet. `say` gets a line for what goes wrong.
  Spill(boost::asio::io_context& io, SpillOptions options, std::function<void()> on_low,
        std::function<void(const std::string&)> say);
  Spill(const Spill&) = delete;
  Spill& operator=(const Spill&) = delete;

  // False: the line is not taken.
  bool put(const std::string& name, std::string_view line);

  struct Account {
    std::size_t aside = 0;  // lines
    std::size_t lost = 0;   // taken, but could not be written
  };
  // What became of the lines put there since it was last asked.
  Account settle(const std::string& name);
  // "node3:/tmp/..."
  std::string place_of(const std::string& name) const;

  // The files together. Without an outlet before the first line and after finish().
  Target& target() { return target_; }
  // Whether they stand still for longer than `stall_limit`; until they go on, then.
  void look();

  // Takes no more. `done`, which may come at once, when all is written or at `limit`.
  void finish(Duration limit, std::function<void()> done);

 private:
  struct File {
    FileId id{};
    std::size_t lines = 0;
    std::size_t settled = 0;  // of `lines`
    std::size_t lost = 0;     // since it was settled
  };

  File* find_or_make(const std::string& name);
  void start_writer();
  void on_report(const std::string& line);

  boost::asio::io_context& io_;
  SpillOptions options_;
  std::function<void()> on_low_;
  std::function<void(const std::string&)> say_;
  std::unique_ptr<FileWriter> writer_;
  Target target_;
  std::map<std::string, File> files_;
  std::size_t bytes_ = 0;
  bool over_ = false;    // takes no more
  bool failed_ = false;  // nor then
};

}  // namespace muster::output
