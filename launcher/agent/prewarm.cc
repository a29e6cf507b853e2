#include "launcher/agent/prewarm.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <utility>

#include "launcher/verdict/printable.h"

namespace muster::launcher {

namespace {

// A cancel may reach the command before it reaches the agent.
constexpr Duration kCancelFanOut{300};
constexpr std::size_t kTailBytes = 4096;
constexpr std::size_t kLineBytes = 300;
// More than a pipe holds: what was written before the end is read, a flood that goes on is not.
constexpr int kLastReads = 32;

std::string last_line(std::string_view text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) {
    text.remove_suffix(1);
  }
  const std::size_t newline = text.rfind('\n');
  if (newline != std::string_view::npos) text.remove_prefix(newline + 1);
  return verdict::printable_line(text, kLineBytes);
}

}  // namespace

// Reads the command's stderr and keeps the end of it.
class Prewarm::StderrTail : public std::enable_shared_from_this<Prewarm::StderrTail> {
 public:
  explicit StderrTail(asio::io_context& loop) : pipe_(loop) {}

  void start(Fd read_end) {
    pipe_.assign(read_end.release());
    start_read();
  }

  std::string last_line_now() {
    for (int i = 0; i < kLastReads && pipe_.is_open(); ++i) {
      const ssize_t size = ::read(pipe_.native_handle(), buffer_.data(), buffer_.size());
      if (size < 0 && errno == EINTR) continue;
      if (size <= 0) break;
      keep(static_cast<std::size_t>(size));
    }
    return last_line(text_);
  }

  void close() {
    boost::system::error_code ignored;
    pipe_.close(ignored);
  }

 private:
  void start_read() {
    pipe_.async_wait(asio::posix::stream_descriptor::wait_read,
                     [self = shared_from_this()](auto error) { self->on_readable(error); });
  }

  void on_readable(const boost::system::error_code& error) {
    if (error || !pipe_.is_open()) return;
    const ssize_t size = ::read(pipe_.native_handle(), buffer_.data(), buffer_.size());
    if (size == 0) return close();
    if (size > 0) keep(static_cast<std::size_t>(size));
    start_read();
  }

  void keep(std::size_t size) {
    text_.append(buffer_.data(), size);
    if (text_.size() > kTailBytes) text_.erase(0, text_.size() - kTailBytes);
  }

  asio::posix::stream_descriptor pipe_;
  std::array<char, kTailBytes> buffer_{};
  std::string text_;
};

Prewarm::Prewarm(asio::io_context& loop, PrewarmOptions options, process::SpawnPlan plan,
                 process::Guardian* guardian, std::function<void(const std::string&)> print)
    : loop_(loop),
      options_(std::move(options)),
      print_(std::move(print)),
      tail_(std::make_shared<StderrTail>(loop)),
      tell_timer_(loop),
      limit_(loop),
      gang_(loop, {.marker = options_.marker, .beside = true}, *this, guardian, this) {
  std::vector<process::WorkerSpec> specs;
  specs.push_back({LocalRank{0}, "--prewarm", std::move(plan)});
  gang_.start(std::move(specs));
}

Prewarm::~Prewarm() {
  tail_->close();
}

void Prewarm::stop(bool at_once) {
  tell_failure();
  stopped_ = true;
  if (gone_) return;
  process::StopPlan plan;
  plan.first_signal = at_once ? SIGKILL : SIGTERM;
  plan.grace = options_.stop_grace;
  gang_.stop(plan);
}

void Prewarm::cancel() {
  failure_.clear();
  stop(false);
}

void Prewarm::await_end(Duration limit, std::function<void(bool gone)> done) {
  done_ = std::move(done);
  limit_.expires_after(gone_ ? Duration{0} : limit);
  limit_.async_wait([this](const boost::system::error_code& error) {
    if (error != asio::error::operation_aborted) end_wait(gone_.value_or(false));
  });
}

void Prewarm::end_wait(bool gone) {
  limit_.cancel();
  if (const auto done = std::exchange(done_, nullptr)) done(gone);
}

void Prewarm::tell_failure() {
  tell_timer_.cancel();
  if (!failure_.empty()) print_(std::exchange(failure_, ""));
}

void Prewarm::on_started(LocalRank, pid_t) {}

void Prewarm::on_start_failed(LocalRank, const Error& error, int) {
  if (!stopped_) print_("muster: " + options_.host + ": --prewarm: " + error.message());
}

void Prewarm::on_exited(LocalRank, process::ExitStatus status, process::WallTime) {
  if (stopped_) return;
  const std::chrono::duration<double> passed = Clock::now() - started_;
  if (status.success()) {
    if (options_.tells_success && !workers_started_) {
      print_(fmt::format("muster: --prewarm ended after {:.1f} s on {}, before the workers start",
                         passed.count(), options_.host));
    }
    return;
  }
  const std::string last = tail_->last_line_now();
  const std::string end = status.signal() ? "died by " + to_string(status)
                                          : "exited with " + std::to_string(status.exit_code());
  failure_ = fmt::format("muster: {}: --prewarm {} after {:.1f} s{}{}", options_.host, end,
                         passed.count(), last.empty() ? "" : ": ", last);
  tell_timer_.expires_after(kCancelFanOut);
  tell_timer_.async_wait([this](const boost::system::error_code& error) {
    if (error != asio::error::operation_aborted) tell_failure();
  });
}

void Prewarm::on_killed(std::size_t) {}

void Prewarm::on_finished(const process::GangEnd& end) {
  tail_->close();
  gone_ = end.stuck.empty();
  end_wait(*gone_);
}

Result<process::GangOutput::Ends> Prewarm::open(LocalRank) {
  Ends ends;
  ends.out.reset(::open("/dev/null", O_WRONLY | O_CLOEXEC));
  int pipe[2];
  if (!ends.out.is_open() || ::pipe2(pipe, O_CLOEXEC) != 0) {
    return failure(system_error("open its output", errno));
  }
  ends.err.reset(pipe[1]);
  Fd read_end(pipe[0]);
  ::fcntl(read_end.get(), F_SETFL, O_NONBLOCK);
  tail_->start(std::move(read_end));
  return ends;
}

void Prewarm::drain(std::function<void()> done) {
  asio::post(loop_, std::move(done));
}

}  // namespace muster::launcher
