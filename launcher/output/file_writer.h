// FileWriter: a child process that creates directories and appends to files, so that a stalled file
// system stalls it and not the agent's loop.
//
// Shell on the caller's io_context; never blocks. Frames go through a pipe; what the pipe does not
// take waits in a bounded queue. The child ends when the pipe is closed and all is written; it
// ignores every signal but SIGKILL, so the last lines of a cancelled job get to their files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/output/outlet.h"
#include "rendezvous/base/result.h"
#include "rendezvous/base/time.h"

namespace boost::asio {
class io_context;
}

namespace muster::output {

enum class FileId : std::uint32_t {};

class FileWriter {
 public:
  static constexpr std::size_t kQueueLimit = 4 * 1024 * 1024;

  // Forks the child. `inherited`: descriptors that the child may write to, see adopt().
  // `on_error` gets one line per file that could not be opened or written ("write /x: ...").
  static Result<std::unique_ptr<FileWriter>> start(
      boost::asio::io_context& io, const std::vector<int>& inherited,
      std::function<void(const std::string&)> on_error);
  ~FileWriter();  // closes the pipe; what is queued and not yet in the pipe is lost
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  // Opens for append, directories made as needed. Errors come later, by on_error.
  FileId open(std::string_view path);
  // Makes a file (mode 0600) that must not be there yet, in a directory that must, for lines put
  // aside: such files leave most of what is free to others. The first failure is the last, and
  // comes as "FILE LINES WHY", LINES being what the file holds; an empty one is removed.
  FileId make(std::string_view path);
  // A descriptor out of `inherited`.
  FileId adopt(int fd);
  bool is_alive() const;
  // False, and nothing is taken, when the queue is full.
  bool append(FileId file, std::string_view bytes);
  void close(FileId file);

  // The pipe to the child, for its backlog and its callbacks.
  Outlet& outlet();

  // Closes the pipe when the queue is empty; `done` (true: all is written) when the child has ended
  // or at the deadline.
  void finish(Duration limit, std::function<void(bool)> done);

 private:
  struct State;
  explicit FileWriter(std::shared_ptr<State> state) : state_(std::move(state)) {}
  std::shared_ptr<State> state_;  // pending handlers hold it too
};

}  // namespace muster::output
