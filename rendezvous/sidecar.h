// Sidecar: calls that may hang (munge, name look-up), made in a child process. A shell.
//
// The child is started by the first call and again when it is needed after stop() or its death.
// Calls are made one at a time, in order; each has a limit from the moment when the child begins
// with it. A child that does not answer is killed and the call is tried once more in a fresh one.
// A wedged munged or name server thus costs an error, never the loop.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "rendezvous/base/asio.h"
#include "rendezvous/base/result.h"
#include "rendezvous/base/time.h"
#include "rendezvous/connection.h"
#include "rendezvous/helper_process.h"
#include "rendezvous/sidecar_messages.h"
#include "rendezvous/timer.h"

namespace muster::rendezvous {

struct SidecarOptions {
  Duration call_limit = std::chrono::seconds(5);
  std::string host;  // this machine's name, for texts; "" for none
  // A child did not answer within the limit and is killed: "the helper process muster-rendezvous
  // (pid 4711) on node1 did not answer within 5 s: ...". May not destroy the Sidecar.
  std::function<void(const Error&)> on_stuck;
};

class Sidecar {
 public:
  using OnAnswer = std::function<void(Result<SidecarAnswer>)>;

  explicit Sidecar(asio::io_context& loop, SidecarOptions options = {});
  ~Sidecar();
  Sidecar(const Sidecar&) = delete;
  Sidecar& operator=(const Sidecar&) = delete;

  // `done` comes from the loop, exactly once unless the Sidecar is destroyed or stopped before.
  void call(SidecarCall call, OnAnswer done);

  // Ends the child and forgets all calls. It holds memory that a long life does not need.
  void stop();

  // Calls not answered yet.
  std::size_t waiting() const { return calls_.size(); }

  pid_t pid() const { return child_.pid(); }  // -1 when there is none

 private:
  struct Pending {
    SidecarCall call;
    OnAnswer done;
    int attempts = 0;
  };

  void start_next();
  Status start_child();
  void on_bytes(std::string_view bytes);
  void on_child_failed(const Error& error);
  void on_limit();
  Error stuck(const SidecarCall& call) const;
  void finish(Result<SidecarAnswer> answer);
  void end_child();

  asio::io_context& loop_;
  SidecarOptions options_;
  HelperProcess child_;
  std::shared_ptr<Connection> connection_;
  LoopTimer limit_;
  LoopTimer starter_;  // starts the next call from the loop
  std::string received_;
  std::deque<Pending> calls_;  // the first is with the child when in_call_
  bool in_call_ = false;
};

// What a call was about, for error texts: "open a munge credential", "look up node001".
std::string describe(const SidecarCall& call);

}  // namespace muster::rendezvous
