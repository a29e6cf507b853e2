#include "launcher/process/orphan_reaper.h"

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <set>

#include "launcher/process/process_table.h"
#include "rendezvous/base/asio.h"
#include "rendezvous/base/time.h"

namespace muster::process {
namespace {

constexpr Duration kGather{50};  // deaths of one moment share one look

}  // namespace

struct OrphanReaper::State : std::enable_shared_from_this<OrphanReaper::State> {
  explicit State(asio::io_context& io) : child_signal(io), timer(io) {}

  void start() {
    boost::system::error_code ignored;
    child_signal.add(SIGCHLD, ignored);
    start_wait();
  }

  void start_wait() {
    child_signal.async_wait(
        [self = shared_from_this()](auto error, int) { self->on_child_signal(error); });
  }

  void on_child_signal(const boost::system::error_code& error) {
    if (error || stopped) return;
    start_wait();
    if (gathering) return;
    gathering = true;
    timer.expires_after(kGather);
    timer.async_wait([self = shared_from_this()](auto failed) { self->on_timer(failed); });
  }

  void on_timer(const boost::system::error_code& error) {
    gathering = false;
    if (!error && !stopped) reap_now();
  }

  bool is_orphan(const ProcessRecord& child, pid_t session) const {
    if (leaders.count(child.pid) != 0) return false;
    return child.session != session || leaders.count(child.group) != 0 ||
           swept.count(child.pid) != 0;
  }

  void reap_now() {
    const pid_t session = ::getsid(0);
    for (const ProcessRecord& child : own_children()) {
      if (!child.is_zombie() || !is_orphan(child, session)) continue;
      siginfo_t info{};
      ::waitid(P_PID, static_cast<id_t>(child.pid), &info, WEXITED | WNOHANG);
      swept.erase(child.pid);
    }
  }

  asio::signal_set child_signal;
  asio::steady_timer timer;
  std::set<pid_t> leaders;
  std::set<pid_t> swept;
  bool gathering = false;
  bool stopped = false;
};

OrphanReaper::OrphanReaper(asio::io_context& io) : state_(std::make_shared<State>(io)) {
  state_->start();
}

OrphanReaper::~OrphanReaper() {
  state_->stopped = true;
  boost::system::error_code ignored;
  state_->child_signal.cancel(ignored);
  state_->timer.cancel();
}

void OrphanReaper::watch_group(pid_t leader) {
  state_->leaders.insert(leader);
}

void OrphanReaper::forget_group(pid_t leader) {
  state_->leaders.erase(leader);
}

void OrphanReaper::expect(const std::vector<pid_t>& swept) {
  state_->swept.insert(swept.begin(), swept.end());
}

void OrphanReaper::reap_now() {
  state_->reap_now();
}

}  // namespace muster::process
