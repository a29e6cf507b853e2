#include "collectives-bench/watchdog.h"

#include <sys/time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "collectives-bench/exit_code.h"

namespace muster::bench {

namespace {

struct LastWords {
  std::array<char, kMaxLastWords> line{};
  std::size_t line_size = 0;
  std::array<char, kMaxLastWords> report{};
  std::size_t report_size = 0;
  int report_fd = -1;
};

// Signal plumbing: written in turns by the program, read by the handler.
std::array<LastWords, 2> prepared;
std::atomic<std::size_t> current{0};

void leave(int) {
  const LastWords& words = prepared[current.load()];
  // Nothing can be done about a failed write here.
  [[maybe_unused]] auto line = ::write(STDERR_FILENO, words.line.data(), words.line_size);
  if (words.report_fd >= 0) {
    [[maybe_unused]] auto report = ::write(words.report_fd, words.report.data(), words.report_size);
  }
  ::_exit(static_cast<int>(ExitCode::kDeadline));
}

std::size_t copy_cut(const std::string& text, std::array<char, kMaxLastWords>& out) {
  const std::size_t size = std::min(text.size(), out.size());
  std::memcpy(out.data(), text.data(), size);
  return size;
}

Status set_timer(std::chrono::microseconds after) {
  itimerval timer{};
  timer.it_value.tv_sec = after.count() / 1'000'000;
  timer.it_value.tv_usec = after.count() % 1'000'000;
  if (::setitimer(ITIMER_REAL, &timer, nullptr) != 0) {
    return failure(system_error("setitimer", errno));
  }
  return {};
}

}  // namespace

Status arm_watchdog(TimePoint deadline) {
  struct sigaction action {};
  action.sa_handler = leave;
  ::sigemptyset(&action.sa_mask);
  if (::sigaction(SIGALRM, &action, nullptr) != 0) {
    return failure(system_error("sigaction", errno));
  }
  sigset_t alarm_only;
  ::sigemptyset(&alarm_only);
  ::sigaddset(&alarm_only, SIGALRM);
  ::sigprocmask(SIG_UNBLOCK, &alarm_only, nullptr);  // a parent may have blocked it
  const auto left = std::chrono::ceil<std::chrono::microseconds>(deadline - Clock::now());
  return set_timer(std::max(left, std::chrono::microseconds(1)));
}

void prepare_last_words(const std::string& line, int report_fd, const std::string& report) {
  const std::size_t next = 1 - current.load();
  LastWords& words = prepared[next];
  words.line_size = copy_cut(line, words.line);
  words.report_size = copy_cut(report, words.report);
  words.report_fd = report_fd;
  current.store(next);
}

void disarm_watchdog() {
  (void)set_timer(std::chrono::microseconds(0));
}

}  // namespace muster::bench
