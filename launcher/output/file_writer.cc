#include "launcher/output/file_writer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "launcher/output/frames.h"
#include "launcher/output/outlet.h"
#include "launcher/output/writer_child.h"
#include "launcher/process/spawn.h"
#include "rendezvous/base/asio.h"

namespace muster::output {
namespace {

using Watched = asio::posix::stream_descriptor;

constexpr std::size_t kPipeWrite = 64 * 1024;
constexpr std::size_t kDataPerFrame = kPipeWrite - kFrameHeader;

}  // namespace

struct FileWriter::State : std::enable_shared_from_this<FileWriter::State> {
  State(asio::io_context& io, process::Child the_child, Fd frames, Fd the_errors,
        std::function<void(const std::string&)> error_callback)
      : pipe(std::move(frames)),
        outlet(std::make_unique<Outlet>(io, pipe.get(), kPipeWrite)),
        errors(io, the_errors.release()),
        exit(io, ::fcntl(the_child.pidfd.get(), F_DUPFD_CLOEXEC, 3)),
        deadline(io),
        child(std::move(the_child)),
        on_error(std::move(error_callback)) {}

  void start() {
    start_read_errors();
    exit.async_wait(Watched::wait_read,
                    [self = shared_from_this()](auto error) { self->on_exit(error); });
  }

  void start_read_errors() {
    errors.async_read_some(asio::buffer(buffer),
                           [self = shared_from_this()](auto error, std::size_t size) {
                             self->on_errors(error, size);
                           });
  }

  void on_errors(const boost::system::error_code& error, std::size_t size) {
    text.append(buffer.data(), size);
    for (std::size_t end = 0; (end = text.find('\n')) != std::string::npos;) {
      if (on_error) on_error(text.substr(0, end));
      text.erase(0, end + 1);
    }
    if (!error) start_read_errors();
  }

  void on_exit(const boost::system::error_code& error) {
    if (error) return;
    const auto status = process::reap(child.pidfd);
    ended = true;
    if (!finishing && on_error)
      on_error("the file writer ended by " + (status ? to_string(*status) : "itself"));
    conclude(status.has_value() && status->success());
  }

  void send(FrameKind kind, FileId file, std::string_view body) {
    outlet->push(encode_frame(kind, static_cast<std::uint32_t>(file), body));
  }

  // Closes the pipe once it has taken everything, which ends the child.
  void close_when_empty() {
    if (!finishing || !outlet || outlet->queued() != 0) return;
    outlet.reset();
    pipe.reset();
  }

  void on_deadline(const boost::system::error_code& error) {
    if (error) return;
    if (on_error)
      on_error("the file writer did not end in time; lines may be missing in its files");
    conclude(false);
  }

  void conclude(bool written) {
    deadline.cancel();
    const auto callback = std::exchange(done, nullptr);
    if (callback) callback(written);
  }

  void stop() {
    on_error = nullptr;
    done = nullptr;
    finishing = true;
    outlet.reset();
    pipe.reset();
    boost::system::error_code ignored;
    errors.close(ignored);
    exit.close(ignored);
    deadline.cancel();
  }

  Fd pipe;
  std::unique_ptr<Outlet> outlet;
  Watched errors;
  Watched exit;
  asio::steady_timer deadline;
  process::Child child;
  std::function<void(const std::string&)> on_error;
  std::function<void(bool)> done;
  std::array<char, 1024> buffer{};
  std::string text;
  std::uint32_t last_id = 0;
  bool finishing = false;
  bool ended = false;
};

Result<std::unique_ptr<FileWriter>> FileWriter::start(
    asio::io_context& io, const std::vector<int>& inherited,
    std::function<void(const std::string&)> on_error) {
  int frames[2];
  if (::pipe2(frames, O_CLOEXEC) != 0) return failure(system_error("make a pipe", errno));
  const Fd frames_read(frames[0]);
  Fd frames_write(frames[1]);
  int errors[2];
  if (::pipe2(errors, O_CLOEXEC) != 0) return failure(system_error("make a pipe", errno));
  Fd errors_read(errors[0]);
  const Fd errors_write(errors[1]);
  std::vector<int> keep = inherited;
  keep.push_back(frames_read.get());
  keep.push_back(errors_write.get());
  auto child = process::fork_function("muster-writer", keep, [&] {
    return run_writer_child(frames_read.get(), errors_write.get());
  });
  if (!child) return failure(child.error());
  auto state = std::make_shared<State>(io, std::move(*child), std::move(frames_write),
                                       std::move(errors_read), std::move(on_error));
  state->start();
  return std::unique_ptr<FileWriter>(new FileWriter(std::move(state)));
}

FileWriter::~FileWriter() {
  state_->stop();
}

bool FileWriter::is_alive() const {
  return !state_->ended;
}

FileId FileWriter::open(std::string_view path) {
  const FileId file{++state_->last_id};
  if (state_->outlet) state_->send(FrameKind::kOpen, file, path);
  return file;
}

FileId FileWriter::make(std::string_view path) {
  const FileId file{++state_->last_id};
  if (state_->outlet) state_->send(FrameKind::kMake, file, path);
  return file;
}

FileId FileWriter::adopt(int fd) {
  const FileId file{++state_->last_id};
  if (state_->outlet) state_->send(FrameKind::kAdopt, file, std::to_string(fd));
  return file;
}

bool FileWriter::append(FileId file, std::string_view bytes) {
  if (!state_->outlet || state_->outlet->queued() + bytes.size() > kQueueLimit) return false;
  while (!bytes.empty()) {
    state_->send(FrameKind::kData, file, bytes.substr(0, kDataPerFrame));
    bytes.remove_prefix(std::min(kDataPerFrame, bytes.size()));
  }
  return true;
}

void FileWriter::close(FileId file) {
  if (state_->outlet) state_->send(FrameKind::kClose, file, "");
}

Outlet& FileWriter::outlet() {
  return *state_->outlet;
}

void FileWriter::finish(Duration limit, std::function<void(bool)> done) {
  state_->finishing = true;
  state_->done = std::move(done);
  state_->deadline.expires_after(limit);
  state_->deadline.async_wait([state = state_](auto error) { state->on_deadline(error); });
  if (state_->ended) {
    asio::post(state_->deadline.get_executor(), [state = state_] { state->conclude(false); });
    return;
  }
  state_->outlet->on_low([state = state_.get()] {
    // Not from inside the outlet that this destroys.
    asio::post(state->deadline.get_executor(),
               [self = state->shared_from_this()] { self->close_when_empty(); });
  });
  asio::post(state_->deadline.get_executor(), [state = state_] { state->close_when_empty(); });
}

}  // namespace muster::output
