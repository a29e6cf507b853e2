// HelperProcess: one `muster-rendezvous` child with our end of a socket pair on its stdin.
//
// Used for calls that may hang (sidecar) and for a server that must answer while its owner computes
// (serve). A shell. posix_spawn, so that it works inside any embedding process, threads or not; the
// child inherits the socket as its stdin and stdout and our stderr (or /dev/null), nothing else.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "rendezvous/base/environment.h"
#include "rendezvous/base/fd.h"
#include "rendezvous/base/result.h"
#include "rendezvous/base/time.h"

namespace muster::rendezvous {

// Where `muster-rendezvous` is: $MUSTER_LIBEXEC_DIR, else beside the shared library that holds this
// code or in the libexec/muster of its prefix, else the same for this program, else where it was
// installed. kNotFound lists the places that were tried.
Result<std::string> find_helper_program(const Environment& environment);
// The same for this process's environment.
Result<std::string> find_helper_program();

class HelperProcess {
 public:
  enum class Stderr { kOurs, kNull };

  // Runs `program command`.
  static Result<HelperProcess> spawn(const std::string& program, const std::string& command,
                                     Stderr where);
  HelperProcess() = default;
  HelperProcess(HelperProcess&& other) noexcept;
  HelperProcess& operator=(HelperProcess&& other) noexcept;
  ~HelperProcess();  // kill()

  bool is_running() const { return pid_ > 0; }
  pid_t pid() const { return pid_; }

  // Our end of the pair; the child reads end of file when it closes.
  const Fd& socket() const { return socket_; }
  Fd take_socket() { return std::move(socket_); }

  // Closes the socket and sends SIGKILL. Waits for the end at most a second: a process in an
  // uninterruptible call is left to whoever reaps orphans.
  void kill();

  // Waits at most `limit` for the child to end by itself; true when it did.
  bool wait_for_end(Duration limit);

  // Closes the socket, the child's sign to end; from here on it is not ours.
  void abandon();

 private:
  Fd socket_;
  Fd pidfd_;
  pid_t pid_ = -1;
};

}  // namespace muster::rendezvous
