#include "launcher/output/outlet.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <deque>
#include <string>

#include "rendezvous/base/asio.h"

namespace muster::output {
namespace {

constexpr int kWritesPerTurn = 64;  // then the loop's other work has its turn

enum class Way { kOwnDescription, kSocket, kPolled };

bool is_of_type(int fd, mode_t type) {
  struct stat status {};
  return ::fstat(fd, &status) == 0 && (status.st_mode & S_IFMT) == type;
}

}  // namespace

struct Outlet::State : std::enable_shared_from_this<Outlet::State> {
  State(asio::io_context& io, int shared_fd, std::size_t limit)
      : descriptor(io), max_write(limit), progress(Clock::now()) {
    const std::string path = "/proc/self/fd/" + std::to_string(shared_fd);
    int fd = -1;
    if (is_of_type(shared_fd, S_IFSOCK)) {
      way = Way::kSocket;
    } else if ((fd = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)) >= 0) {
      way = Way::kOwnDescription;
    }
    if (fd < 0) fd = ::fcntl(shared_fd, F_DUPFD_CLOEXEC, 3);
    if (fd >= 0) descriptor.assign(fd);
  }

  void push(std::string_view item) {
    if (broken || stopped || !descriptor.is_open()) return;
    if (queue.empty()) progress = Clock::now();
    if (!queue.empty() && queue.back().size() + item.size() <= max_write) {
      queue.back() += item;
    } else {
      queue.emplace_back(item);
    }
    queued += item.size();
    if (busy) return;
    busy = true;
    asio::post(descriptor.get_executor(), [self = shared_from_this()] { self->write_some(); });
  }

  void write_some() {
    for (int i = 0; i < kWritesPerTurn; ++i) {
      if (stopped) return;
      if (queue.empty()) {
        busy = false;
        return;
      }
      const ssize_t size = write_front();
      if (size < 0 && errno == EINTR) continue;
      if (size < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
        start_wait();
        return;
      }
      if (size < 0) {
        give_up();
        return;
      }
      account(static_cast<std::size_t>(size));
    }
    asio::post(descriptor.get_executor(), [self = shared_from_this()] { self->write_some(); });
  }

  ssize_t write_front() {
    const std::string_view rest =
        std::string_view(queue.front()).substr(offset).substr(0, max_write);
    const int fd = descriptor.native_handle();
    if (way == Way::kSocket)
      return ::send(fd, rest.data(), rest.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (way == Way::kPolled) {
      pollfd ready{fd, POLLOUT, 0};
      if (::poll(&ready, 1, 0) != 1) {
        errno = EAGAIN;
        return -1;
      }
    }
    return ::write(fd, rest.data(), rest.size());
  }

  void account(std::size_t size) {
    const std::size_t before = queued;
    queued -= size;
    offset += size;
    progress = Clock::now();
    if (offset == queue.front().size()) {
      queue.pop_front();
      offset = 0;
    }
    if ((before > kLow && queued <= kLow) || queued == 0) tell();
  }

  void tell() {
    if (const auto callback = low) callback();  // a copy: it may set another
  }

  void start_wait() {
    descriptor.async_wait(asio::posix::stream_descriptor::wait_write,
                          [self = shared_from_this()](auto error) { self->on_ready(error); });
  }

  void on_ready(const boost::system::error_code& error) {
    if (stopped || error == asio::error::operation_aborted) return;
    if (error) {
      give_up();
      return;
    }
    write_some();
  }

  void give_up() {
    broken = true;
    busy = false;
    queue.clear();
    queued = 0;
    offset = 0;
    tell();
  }

  asio::posix::stream_descriptor descriptor;
  std::size_t max_write;
  Way way = Way::kPolled;
  std::deque<std::string> queue;
  std::size_t queued = 0;
  std::size_t offset = 0;  // of the front item: what has gone out
  TimePoint progress;
  bool busy = false;
  bool broken = false;
  bool stopped = false;
  std::function<void()> low;
};

bool Outlet::suits(int fd) {
  return is_of_type(fd, S_IFIFO) || is_of_type(fd, S_IFSOCK) || ::isatty(fd) == 1;
}

Outlet::Outlet(asio::io_context& io, int fd, std::size_t max_write)
    : state_(std::make_shared<State>(io, fd, max_write)) {}

Outlet::~Outlet() {
  state_->stopped = true;
  state_->low = nullptr;
  boost::system::error_code ignored;
  state_->descriptor.close(ignored);
}

void Outlet::push(std::string_view item) {
  state_->push(item);
}

std::size_t Outlet::queued() const {
  return state_->queued;
}

TimePoint Outlet::last_progress() const {
  return state_->progress;
}

void Outlet::on_low(std::function<void()> callback) {
  state_->low = std::move(callback);
}

}  // namespace muster::output
