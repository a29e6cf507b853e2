#include "launcher/process/guardian.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>

#include "launcher/process/marker.h"
#include "launcher/process/sweep.h"

namespace muster::process {
namespace {

constexpr Duration kSweepLimit{5'000};

enum class OrderKind : std::int32_t { kWatch, kForget, kDismiss };

// One order is written at once; far below PIPE_BUF, so it is never torn.
struct Order {
  OrderKind kind;
  std::int32_t group;
};

void send_order(const Fd& orders, OrderKind kind, pid_t group) {
  const Order order{kind, group};
  // The pipe holds thousands of orders: it is full only when the guardian is stopped for good.
  [[maybe_unused]] const ssize_t n = ::write(orders.get(), &order, sizeof order);
}

// The guardian's own life, in the child.
class Watch {
 public:
  Watch(std::string marker, int orders, int reports)
      : marker_(std::move(marker)), orders_(orders), reports_(reports) {}

  int run() {
    sigset_t all;
    sigfillset(&all);
    signals_.reset(::signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK));
    while (true) {
      std::array<pollfd, 2> ready{{{signals_.get(), POLLIN, 0}, {orders_, POLLIN, 0}}};
      if (::poll(ready.data(), ready.size(), -1) < 0 && errno != EINTR) return 1;
      if (ready[0].revents != 0) report_signals();
      if (ready[1].revents != 0 && !obey()) return 0;
    }
  }

 private:
  void report_signals() {
    signalfd_siginfo info{};
    while (::read(signals_.get(), &info, sizeof info) == sizeof info) {
      const auto signum = static_cast<std::uint8_t>(info.ssi_signo);
      // The SIGPIPE of a report that nobody reads any more must not be reported in its turn.
      if (has_reader_ && ::write(reports_, &signum, 1) < 0 && errno == EPIPE) has_reader_ = false;
    }
  }

  // False when there is nothing left to guard.
  bool obey() {
    Order order{};
    const ssize_t size = ::read(orders_, &order, sizeof order);
    if (size < 0) return errno == EINTR || errno == EAGAIN;
    if (size != sizeof order) {
      clean_up();
      return false;
    }
    if (order.kind == OrderKind::kWatch && order.group > 1) groups_.push_back(order.group);
    if (order.kind == OrderKind::kForget) std::erase(groups_, order.group);
    return order.kind != OrderKind::kDismiss;
  }

  void clean_up() {
    for (const pid_t group : groups_) ::kill(-group, SIGKILL);
    SweepTarget target;
    target.markers = {marker_, beside_marker(marker_)};
    sweep(target, kSweepLimit);
  }

  std::string marker_;
  int orders_;
  int reports_;
  bool has_reader_ = true;
  Fd signals_;
  std::vector<pid_t> groups_;
};

}  // namespace

Result<Guardian> Guardian::start(const std::string& marker) {
  int orders[2];
  if (::pipe2(orders, O_CLOEXEC) != 0) return failure(system_error("make a pipe", errno));
  const Fd orders_read(orders[0]);
  Fd orders_write(orders[1]);
  int reports[2];
  if (::pipe2(reports, O_CLOEXEC | O_NONBLOCK) != 0)
    return failure(system_error("make a pipe", errno));
  Fd reports_read(reports[0]);
  const Fd reports_write(reports[1]);
  ::fcntl(orders_write.get(), F_SETFL, O_NONBLOCK);

  auto child = fork_function("muster-guardian", {orders_read.get(), reports_write.get()}, [&] {
    return Watch(marker, orders_read.get(), reports_write.get()).run();
  });
  if (!child) return failure(child.error());
  return Guardian(std::move(*child), std::move(orders_write), std::move(reports_read));
}

void Guardian::watch_group(pid_t group) {
  send_order(orders_, OrderKind::kWatch, group);
}

void Guardian::forget_group(pid_t group) {
  send_order(orders_, OrderKind::kForget, group);
}

std::vector<int> Guardian::read_reports(bool& lost) {
  std::vector<int> signals;
  std::array<std::uint8_t, 64> bytes;
  lost = false;
  while (true) {
    const ssize_t size = ::read(reports_.get(), bytes.data(), bytes.size());
    if (size < 0 && errno == EINTR) continue;
    lost = size == 0;
    if (size <= 0) return signals;
    signals.insert(signals.end(), bytes.begin(), bytes.begin() + size);
  }
}

void Guardian::dismiss() {
  send_order(orders_, OrderKind::kDismiss, 0);
  orders_.reset();
}

}  // namespace muster::process
