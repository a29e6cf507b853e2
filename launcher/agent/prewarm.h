// Prewarm: the command of --prewarm on one node, from the roster to the end of the job.
//
// A gang of one beside the agent's own gangs: no failure of it is the job's. What it prints is
// dropped; the last line of its stderr is told when it fails. Shell on the caller's io_context;
// never blocks. All callbacks come from the loop.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "launcher/process/gang.h"
#include "rendezvous/base/asio.h"

namespace muster::launcher {

struct PrewarmOptions {
  std::string marker;          // a beside_marker, also in the plan's environment
  std::string host;            // for messages
  bool tells_success = false;  // one node speaks for all
  Duration stop_grace{1'000};  // from SIGTERM to SIGKILL
};

class Prewarm : private process::GangObserver, private process::GangOutput {
 public:
  // `print` takes whole lines, without newline. `guardian` may be null. References outlive it.
  Prewarm(asio::io_context& loop, PrewarmOptions options, process::SpawnPlan plan,
          process::Guardian* guardian, std::function<void(const std::string&)> print);
  ~Prewarm() override;  // SIGKILL to what is left

  // A success is no news from now on.
  void workers_start() { workers_started_ = true; }

  // SIGTERM, after the grace SIGKILL; `at_once`: SIGKILL. What it does from now on is not told.
  void stop(bool at_once);
  // The same when the job is cancelled: its end of a moment ago came of that, and is not told.
  void cancel();

  // `done(gone)` comes once: when nothing of it runs any more, or at the limit with `gone` false.
  void await_end(Duration limit, std::function<void(bool gone)> done);

 private:
  class StderrTail;

  // GangObserver
  void on_started(LocalRank local_rank, pid_t pid) override;
  void on_start_failed(LocalRank local_rank, const Error& error, int exit_code) override;
  void on_exited(LocalRank local_rank, process::ExitStatus status, process::WallTime when) override;
  void on_killed(std::size_t workers_left) override;
  void on_finished(const process::GangEnd& end) override;

  // GangOutput
  Result<Ends> open(LocalRank local_rank) override;
  void drain(std::function<void()> done) override;

  void tell_failure();
  void end_wait(bool gone);

  asio::io_context& loop_;
  PrewarmOptions options_;
  std::function<void(const std::string&)> print_;
  TimePoint started_ = Clock::now();
  std::shared_ptr<StderrTail> tail_;  // pending handlers hold it too
  asio::steady_timer tell_timer_;
  std::string failure_;  // not told yet
  asio::steady_timer limit_;
  std::function<void(bool)> done_;
  bool workers_started_ = false;
  bool stopped_ = false;
  std::optional<bool> gone_;  // set at the end: whether nothing is left
  process::Gang gang_;
};

}  // namespace muster::launcher
