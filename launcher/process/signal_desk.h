// SignalDesk: the shell around SignalRelay. Catches the agent's signals, reads the guardian's
// reports, and tells its observer what the job received and what must be passed on.
//
// Shell on the caller's io_context and thread; never blocks. Ignores what the table says to ignore
// and SIGPIPE. Destroy it on the loop's thread; no callback comes after that.
#pragma once

#include <memory>

#include "launcher/process/guardian.h"
#include "launcher/process/signals.h"

namespace boost::asio {
class io_context;
}

namespace muster::process {

class SignalObserver {
 public:
  virtual ~SignalObserver() = default;
  // Once per signal, at its first sight. For kStop: Gang::stop with first_signal_sent, since the
  // signal reaches the workers by itself or by on_forward.
  virtual void on_signal(int signum, SignalAction action) = 0;
  // Workers did not get it: Gang::signal_all(signum).
  virtual void on_forward(int signum) = 0;
  virtual void on_guardian_lost() = 0;
};

class SignalDesk {
 public:
  // `guardian` may be null (then every signal is forwarded); it and `observer` outlive the desk.
  SignalDesk(boost::asio::io_context& io, Guardian* guardian, SignalObserver& observer);
  ~SignalDesk();
  SignalDesk(const SignalDesk&) = delete;
  SignalDesk& operator=(const SignalDesk&) = delete;

 private:
  struct State;
  std::shared_ptr<State> state_;  // pending handlers hold it too and must outlive the desk
};

}  // namespace muster::process
