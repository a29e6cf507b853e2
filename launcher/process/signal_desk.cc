#include "launcher/process/signal_desk.h"

#include <fcntl.h>

#include "launcher/process/signal_relay.h"
#include "rendezvous/base/asio.h"

namespace muster::process {

struct SignalDesk::State : std::enable_shared_from_this<SignalDesk::State> {
  State(asio::io_context& io, Guardian* the_guardian, SignalObserver& the_observer)
      : caught(io), reports(io), timer(io), guardian(the_guardian), observer(&the_observer) {}

  void start() {
    for (const SignalRule& rule : signal_rules())
      if (rule.action == SignalAction::kIgnore) ::signal(rule.signum, SIG_IGN);
    const sigset_t wanted = caught_signals();
    for (int signum = 1; signum <= SIGRTMAX; ++signum) {
      boost::system::error_code ignored;
      if (sigismember(&wanted, signum) == 1) caught.add(signum, ignored);
    }
    wait_for_signal();
    if (guardian == nullptr) {
      step(GuardianLost{});
      return;
    }
    reports.assign(::fcntl(guardian->report_fd(), F_DUPFD_CLOEXEC, 3));
    wait_for_report();
  }

  void stop() {
    observer = nullptr;
    boost::system::error_code ignored;
    caught.cancel(ignored);
    reports.close(ignored);
    timer.cancel();
  }

  void wait_for_signal() {
    caught.async_wait(
        [self = shared_from_this()](auto error, int signum) { self->on_caught(error, signum); });
  }

  void on_caught(const boost::system::error_code& error, int signum) {
    if (error || observer == nullptr) return;
    wait_for_signal();
    step(AgentSaw{signum});
  }

  void wait_for_report() {
    reports.async_wait(asio::posix::stream_descriptor::wait_read,
                       [self = shared_from_this()](auto error) { self->on_report(error); });
  }

  void on_report(const boost::system::error_code& error) {
    if (error || observer == nullptr) return;
    read_reports();
    if (observer != nullptr && reports.is_open()) wait_for_report();
  }

  void read_reports() {
    if (guardian == nullptr || !reports.is_open()) return;
    bool lost = false;
    for (const int signum : guardian->read_reports(lost)) step(GuardianSaw{signum});
    if (!lost || observer == nullptr) return;
    boost::system::error_code ignored;
    reports.close(ignored);
    step(GuardianLost{});
    if (observer != nullptr) observer->on_guardian_lost();
  }

  void on_timer(const boost::system::error_code& error) {
    if (error || observer == nullptr) return;
    read_reports();  // first: a report that waited through a stall of the loop is on time
    step(RelayTick{});
  }

  void step(const RelayEvent& event) {
    for (const RelayEffect& effect : relay.step(event, Clock::now())) {
      if (observer == nullptr) return;
      if (const auto* received = std::get_if<Received>(&effect)) {
        // The guardian catches more than the agent acts on.
        if (received->action == SignalAction::kStop || received->action == SignalAction::kForward)
          observer->on_signal(received->signum, received->action);
      } else {
        observer->on_forward(std::get<ForwardToWorkers>(effect).signum);
      }
    }
    if (observer == nullptr) return;
    const auto deadline = relay.next_deadline();
    if (!deadline) return;
    timer.expires_at(*deadline);
    timer.async_wait([self = shared_from_this()](auto error) { self->on_timer(error); });
  }

  asio::signal_set caught;
  asio::posix::stream_descriptor reports;
  asio::steady_timer timer;
  SignalRelay relay;
  Guardian* guardian;
  SignalObserver* observer;  // null once the desk is gone
};

SignalDesk::SignalDesk(asio::io_context& io, Guardian* guardian, SignalObserver& observer)
    : state_(std::make_shared<State>(io, guardian, observer)) {
  state_->start();
}

SignalDesk::~SignalDesk() {
  state_->stop();
}

}  // namespace muster::process
