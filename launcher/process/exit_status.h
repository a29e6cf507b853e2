// ExitStatus: how a process ended. A value; pure.
//
// A death by signal N counts as exit code 128+N, as shells report it; the core flag is kept apart.
#pragma once

#include <optional>
#include <string>

namespace muster::process {

class ExitStatus {
 public:
  static ExitStatus exited(int code) { return ExitStatus(code, 0, false); }
  static ExitStatus killed(int signum, bool dumped_core = false) {
    return ExitStatus(0, signum, dumped_core);
  }

  bool success() const { return signum_ == 0 && code_ == 0; }
  std::optional<int> signal() const;
  bool dumped_core() const { return dumped_core_; }

  // The code a shell would report: the exit code, or 128 + the signal's number.
  int exit_code() const { return signum_ != 0 ? 128 + signum_ : code_; }

  bool operator==(const ExitStatus&) const = default;

 private:
  ExitStatus(int code, int signum, bool dumped_core)
      : code_(code), signum_(signum), dumped_core_(dumped_core) {}

  int code_;
  int signum_;
  bool dumped_core_;
};

// "exit code 3", "signal 9 (SIGKILL)", "signal 11 (SIGSEGV), core dumped".
std::string to_string(const ExitStatus& status);

}  // namespace muster::process
