#include "launcher/process/sweeper.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>

#include "launcher/process/spawn.h"
#include "rendezvous/base/asio.h"
#include "rendezvous/base/bytes.h"

namespace muster::process {
namespace {

constexpr Duration kMargin{1'000};  // beyond the sweep's own limit: then its child hangs in /proc
constexpr std::uint32_t kMostPids = 1U << 20;

void put_pids(ByteWriter& writer, const std::vector<pid_t>& pids) {
  writer.u32(static_cast<std::uint32_t>(pids.size()));
  for (const pid_t pid : pids) writer.u32(static_cast<std::uint32_t>(pid));
}

std::vector<pid_t> take_pids(ByteReader& reader) {
  std::vector<pid_t> pids(reader.count(kMostPids));
  for (pid_t& pid : pids) pid = static_cast<pid_t>(reader.u32());
  return pids;
}

int sweep_and_tell(const SweepTarget& target, Duration limit, int fd) {
  const SweepResult result = sweep(target, limit);
  ByteWriter writer;
  put_pids(writer, result.killed);
  put_pids(writer, result.left);
  std::string_view rest = writer.bytes();
  while (!rest.empty()) {
    const ssize_t size = ::write(fd, rest.data(), rest.size());
    if (size <= 0) return 1;
    rest.remove_prefix(static_cast<std::size_t>(size));
  }
  return 0;
}

// Lives in its handlers until `done` was called.
class Sweeper : public std::enable_shared_from_this<Sweeper> {
 public:
  using Done = std::function<void(const SweepResult&, bool)>;

  Sweeper(asio::io_context& io, Child child, Fd result, Done done)
      : result_(io, result.release()),
        exit_(io, ::fcntl(child.pidfd.get(), F_DUPFD_CLOEXEC, 3)),
        timer_(io),
        child_(std::move(child)),
        done_(std::move(done)) {}

  void start(Duration limit) {
    timer_.expires_after(limit);
    timer_.async_wait([self = shared_from_this()](auto error) { self->on_timeout(error); });
    start_read();
  }

 private:
  void start_read() {
    result_.async_read_some(
        asio::buffer(buffer_),
        [self = shared_from_this()](auto error, std::size_t size) { self->on_read(error, size); });
  }

  void on_read(const boost::system::error_code& error, std::size_t size) {
    if (!done_) return;
    bytes_.append(buffer_.data(), size);
    if (!error) {
      start_read();
      return;
    }
    exit_.async_wait(asio::posix::stream_descriptor::wait_read,
                     [self = shared_from_this()](auto failed) { self->on_exit(failed); });
  }

  void on_exit(const boost::system::error_code& error) {
    if (error || !done_) return;
    reap(child_.pidfd);
    finish();
  }

  void on_timeout(const boost::system::error_code& error) {
    if (error || !done_) return;
    ::kill(child_.pid, SIGKILL);  // unreaped, so the pid is its own; it may stay a zombie
    finish();
  }

  void finish() {
    boost::system::error_code ignored;
    timer_.cancel();
    result_.close(ignored);
    exit_.close(ignored);
    SweepResult result;
    ByteReader reader(bytes_);
    result.killed = take_pids(reader);
    result.left = take_pids(reader);
    const bool whole = reader.finish("sweep").has_value();
    const Done done = std::exchange(done_, nullptr);
    done(whole ? result : SweepResult{}, whole);
  }

  asio::posix::stream_descriptor result_;
  asio::posix::stream_descriptor exit_;
  asio::steady_timer timer_;
  Child child_;
  Done done_;
  std::array<char, 4096> buffer_{};
  std::string bytes_;
};

}  // namespace

void start_sweeper(asio::io_context& io, const SweepTarget& target, Duration limit,
                   std::function<void(const SweepResult&, bool in_time)> done) {
  int ends[2] = {-1, -1};
  const bool piped = ::pipe2(ends, O_CLOEXEC) == 0;
  Fd read_end(ends[0]);
  const Fd write_end(ends[1]);
  auto child = piped ? fork_function("muster-sweeper", {write_end.get()},
                                     [&] { return sweep_and_tell(target, limit, write_end.get()); })
                     : failure(ErrorCode::kSystem, "make a pipe");
  if (!child) {
    asio::post(io, [done = std::move(done)] { done(SweepResult{}, false); });
    return;
  }
  std::make_shared<Sweeper>(io, std::move(*child), std::move(read_end), std::move(done))
      ->start(limit + kMargin);
}

}  // namespace muster::process
