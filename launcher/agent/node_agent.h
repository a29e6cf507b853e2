// NodeAgent: the hands of one agent. A shell: owns the session with the coordinator, the gang of
// the moment, the signals, and on the lead agent of node 0 the coordinator's host.
//
// Runs on one io_context and thread; nothing in it blocks or touches a file system after start.
// What it does is told by the coordinator's messages and by signals; what it sees it reports.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "launcher/agent/coordinator_host.h"
#include "launcher/agent/gang_builder.h"
#include "launcher/agent/prewarm.h"
#include "launcher/agent/worker_door.h"
#include "launcher/health/library_watch.h"
#include "launcher/health/probes/node_looks.h"
#include "launcher/history/verdict_record.h"
#include "launcher/output/carrier.h"
#include "launcher/process/gang.h"
#include "launcher/process/guardian.h"
#include "launcher/process/signal_desk.h"
#include "rendezvous/base/asio.h"
#include "rendezvous/session.h"

namespace muster::launcher {

struct NodeAgentOptions {
  rendezvous::SessionOptions session;
  // Set on agents that may become the coordinator: the lead agents of the first nodes.
  std::optional<CoordinatorHostOptions> coordinator;
  GangBuilderOptions gangs;
  Duration stop_grace = std::chrono::seconds(15);
};

class NodeAgent : private rendezvous::SessionObserver,
                  private process::GangObserver,
                  private process::SignalObserver {
 public:
  // How the agent ended. With `exec` the caller replaces itself by the program, else it exits.
  struct End {
    int exit_code = 0;
    bool exec = false;
    WorkerLaunch launch;  // with exec: what to become
    std::string report;   // of `muster check`, on the coordinator's agent; else ""
    std::optional<bench::Profile> baseline;  // to be recorded
    // On the coordinator's agent: the nodes that its check found unfit.
    std::vector<history::UnfitRecord> unfit;
    bool clean = true;  // nothing of ours is left; the guardian may leave without a sweep
  };

  // `guardian` and `output` outlive the agent.
  NodeAgent(asio::io_context& loop, NodeAgentOptions options, process::Guardian& guardian,
            output::OutputCarrier& output);
  ~NodeAgent() override;

  // Opens the coordinator where it is due and joins. Errors of opening; joining goes on in the
  // loop.
  Status start();

  // Set once the loop may end; the loop is stopped by the agent itself.
  const End& end() const { return end_; }

 private:
  // SessionObserver
  void on_roster(const rendezvous::Roster& roster) override;
  void on_message(std::string_view bytes) override;
  void on_coordinator_silent(bool silent) override;
  void on_take_role(const rendezvous::Role& role) override;
  void on_rival(std::uint32_t epoch) override;
  void on_closed(const Error& error) override;
  void on_note(std::string_view line) override;

  // GangObserver
  void on_started(LocalRank local_rank, pid_t pid) override;
  void on_start_failed(LocalRank local_rank, const Error& error, int exit_code) override;
  void on_exited(LocalRank local_rank, process::ExitStatus status, process::WallTime when) override;
  void on_killed(std::size_t workers_left) override;
  void on_finished(const process::GangEnd& end) override;

  // SignalObserver
  void on_signal(int signum, process::SignalAction action) override;
  void on_forward(int signum) override;
  void on_guardian_lost() override;

  Status open_host(const rendezvous::Role& role);
  void start_check(const StartCheck& order);
  void start_workers(const StartWorkers& order);
  void start_gang(GangId gang, GangPlan plan);
  void stop_gang(const StopGang& order);
  void become_program(const BecomeProgram& order);
  void close_job(const CloseJob& order);
  void open_store(const OpenStore& order);
  void close_store(const CloseStore& order);
  void find_owners(const FindOwners& question);
  void hear_owners(const OwnersTold& told);
  void look_at_node(const LookAtNode& order);
  void start_prewarm(const rendezvous::Roster& roster);
  Result<process::SpawnPlan> plan_prewarm(const rendezvous::Roster& roster) const;
  void stop_prewarm();
  void note_check(const std::string& report);
  void on_looked(LookId look, std::int64_t heard_us, const Result<std::string>& facts);
  void stop_local_gang(int signum, bool already_delivered, Duration grace);
  void on_cancel_wait_over(const boost::system::error_code& error, GangId gang, int signum);

  void tell(const FromAgent& message);
  void note_start();
  void report_end(const verdict::WorkerEnd& end);
  void report_last_words();
  void lose_coordinator(const Error& error);
  void watch_silence();
  void on_silence_tick(const boost::system::error_code& error);
  void forget_gang();
  void finish(int exit_code);
  void finish_prewarm();
  void finish_output();
  void print(const std::string& line);

  asio::io_context& loop_;
  NodeAgentOptions options_;
  process::Guardian& guardian_;
  output::OutputCarrier& output_;
  GangBuilder builder_;

  std::unique_ptr<CoordinatorHost> host_;  // while this agent has the role
  TimePoint started_ = Clock::now();
  Generation last_generation_{};  // of a host that gave the role back
  std::unique_ptr<rendezvous::Session> session_;
  std::unique_ptr<process::SignalDesk> signals_;
  std::unique_ptr<process::Gang> gang_;
  bool gang_done_ = true;  // told on_finished; `gang_` may live a moment longer
  std::unique_ptr<health::LibraryWatch> libraries_;  // of rank 0, while it runs
  health::CheckedLibrary checked_;                   // by the last check gang here

  std::unique_ptr<health::NodeLooks> looks_;  // from the first order to look

  std::unique_ptr<Prewarm> prewarm_;  // with --prewarm, on the lead agent, from the roster on

  std::unique_ptr<WorkerDoor> door_;  // on rank 0's agent, from OpenStore to CloseStore or the end
  std::optional<tcpstore::SocketOwners> socket_owners_;  // once a question came

  bool joined_ = false;
  bool silent_ = false;         // the coordinator, now
  bool workers_begun_ = false;  // StartWorkers came, and no StopGang since
  bool closing_ = false;
  bool finished_ = false;
  bool coordinator_lost_ = false;
  std::optional<int> cancelled_by_;
  std::size_t interrupts_ = 0;

  GangId gang_id_{};
  GangPlan plan_;
  std::size_t unstarted_ = 0;  // of the gang: neither started nor failed to
  std::vector<verdict::WorkerEnd> ends_;
  std::optional<WallTime> stop_sent_;
  std::optional<int> ladder_signal_;  // what the stop ladder sends the workers itself
  asio::steady_timer silence_timer_;  // while the coordinator is silent
  Duration silence_left_{};
  asio::steady_timer cancel_wait_;
  asio::steady_timer linger_;
  std::uint32_t killed_ = 0;
  bool agent_lost_ = false;
  End end_;
};

}  // namespace muster::launcher
