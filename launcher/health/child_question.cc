#include "launcher/health/child_question.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <utility>

#include "launcher/process/spawn.h"
#include "rendezvous/base/asio.h"

namespace muster::health {

namespace {

constexpr Duration kReapPatience{100};  // after SIGKILL, for a child that can still die

int write_answer(const std::string& answer, int fd) {
  std::string_view rest(answer);
  while (!rest.empty()) {
    const ssize_t size = ::write(fd, rest.data(), rest.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return 1;
    rest.remove_prefix(static_cast<std::size_t>(size));
  }
  return 0;
}

struct Started {
  process::Child child;
  Fd answer;
};

Result<Started> start_child(const char* name, const std::function<std::string()>& body) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return failure(system_error("make a pipe", errno));
  Fd read_end(ends[0]);
  const Fd write_end(ends[1]);
  const int fd = write_end.get();
  MUSTER_TRY(child, process::fork_function(name, {fd}, [&body, fd]() {
               ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // nobody would read the answer
               return write_answer(body(), fd);
             }));
  return Started{std::move(child), std::move(read_end)};
}

std::string seconds_of(Duration limit) {
  const auto count = limit.count();
  return count % 1000 == 0 ? std::to_string(count / 1000) + " s" : std::to_string(count) + " ms";
}

}  // namespace

class ChildQuestion::Body : public std::enable_shared_from_this<ChildQuestion::Body> {
 public:
  Body(asio::io_context& loop, Done done)
      : answer_(loop), exit_(loop), timer_(loop), done_(std::move(done)) {}

  void start(Result<Started> started, Duration limit) {
    if (!started) {
      asio::post(exit_.get_executor(), [self = shared_from_this(), error = started.error()]() {
        self->finish(failure(error));
      });
      return;
    }
    child_ = std::move(started->child);
    limit_ = limit;
    answer_.assign(started->answer.release());
    exit_.assign(::fcntl(child_.pidfd.get(), F_DUPFD_CLOEXEC, 3));
    timer_.expires_after(limit);
    timer_.async_wait([self = shared_from_this()](auto error) { self->on_timeout(error); });
    start_read();
  }

  // The child may be stuck in the kernel and die much later: then it stays for the loop to reap.
  void kill_child() {
    if (!child_.pidfd.is_open()) return;
    ::kill(child_.pid, SIGKILL);  // unreaped, so the pid is its own
    start_wait();
  }

  void drop() {
    if (done_) kill_child();
    done_ = nullptr;
    close();
  }

  bool is_reaped() const { return !child_.pidfd.is_open(); }

 private:
  void start_read() {
    answer_.async_read_some(
        asio::buffer(buffer_),
        [self = shared_from_this()](auto error, std::size_t size) { self->on_read(error, size); });
  }

  void on_read(const boost::system::error_code& error, std::size_t size) {
    if (!done_) return;
    bytes_.append(buffer_.data(), size);
    if (bytes_.size() > kMaxAnswer) {
      kill_child();
      return finish(failure(ErrorCode::kLimit, "gave an answer of more than " +
                                                   std::to_string(kMaxAnswer) + " bytes"));
    }
    if (!error) return start_read();
    start_wait();
  }

  void start_wait() {
    if (std::exchange(waiting_, true)) return;
    exit_.async_wait(asio::posix::stream_descriptor::wait_read,
                     [self = shared_from_this()](auto error) { self->on_exit(error); });
  }

  void on_exit(const boost::system::error_code& error) {
    if (error) return;
    const std::optional<process::ExitStatus> status = process::reap(child_.pidfd);
    child_.pidfd.reset();
    boost::system::error_code ignored;
    exit_.close(ignored);
    if (!done_) return;
    if (status && status->success()) return finish(std::move(bytes_));
    finish(failure(ErrorCode::kUnavailable,
                   "ended with " + (status ? to_string(*status) : "an unknown status")));
  }

  void on_timeout(const boost::system::error_code& error) {
    if (error || !done_) return;
    kill_child();
    finish(failure(ErrorCode::kTimeout, "did not answer in " + seconds_of(limit_)));
  }

  void finish(Result<std::string> result) {
    if (!done_) return;
    close();
    const Done done = std::exchange(done_, nullptr);
    done(std::move(result));
  }

  void close() {
    boost::system::error_code ignored;
    timer_.cancel();
    answer_.close(ignored);
  }

  asio::posix::stream_descriptor answer_;
  asio::posix::stream_descriptor exit_;
  asio::steady_timer timer_;
  process::Child child_;
  Duration limit_{};
  Done done_;
  std::array<char, 4096> buffer_{};
  std::string bytes_;
  bool waiting_ = false;
};

ChildQuestion::ChildQuestion(asio::io_context& loop, const char* name,
                             const std::function<std::string()>& body, Duration limit, Done done)
    : body_(std::make_shared<Body>(loop, std::move(done))) {
  body_->start(start_child(name, body), limit);
}

ChildQuestion::~ChildQuestion() {
  body_->drop();
}

Result<std::string> ChildQuestion::ask_and_wait(const char* name,
                                                const std::function<std::string()>& body,
                                                Duration limit) {
  return std::move(ask_all_and_wait(name, {body}, limit).front());
}

std::vector<Result<std::string>> ChildQuestion::ask_all_and_wait(
    const char* name, const std::vector<std::function<std::string()>>& bodies, Duration limit) {
  asio::io_context loop(1);
  std::vector<Result<std::string>> answers(bodies.size());
  std::vector<std::unique_ptr<ChildQuestion>> questions;
  std::size_t open = bodies.size();
  for (std::size_t i = 0; i < bodies.size(); ++i) {
    const Done done = [&open, &answer = answers[i]](Result<std::string> result) {
      answer = std::move(result);
      --open;
    };
    questions.push_back(std::make_unique<ChildQuestion>(loop, name, bodies[i], limit, done));
  }
  while (open > 0) loop.run_one();
  // Those that are late were killed together.
  const bool all_reaped = std::all_of(questions.begin(), questions.end(), [](const auto& question) {
    return question->body_->is_reaped();
  });
  if (!all_reaped) loop.run_for(kReapPatience);
  return answers;
}

}  // namespace muster::health
