#include "launcher/agent/node_agent.h"

#include <algorithm>
#include <csignal>
#include <utility>

#include "launcher/options/exit_codes.h"
#include "launcher/process/signals.h"

namespace muster::launcher {

namespace {

// For the coordinator to hear the goodbye (rule 16: all leave within 2 s).
constexpr Duration kLeavePatience{1'000};
// Slurm's fan-out of a cancel may be slower than ours; a worker should get its signal once.
constexpr Duration kSlurmFanOut{300};
// srun (22.05) does not drain the others' output once a task died by a signal and the last one
// ended. A cancel while the agents gather kills the tasks that are not yet muster.
constexpr Duration kLingerForSrun{300};
// Of a silent coordinator, beside the 6 s after which it counts as silent; as long as it waits for
// a look of ours.
constexpr Duration kSilencePatience{20'000};
constexpr Duration kSilenceTick{1'000};
constexpr std::size_t kReportedTail = 100;  // lines of stderr that travel to the coordinator

std::int64_t wall_clock_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

WallTime wall_clock() {
  return WallTime(std::chrono::nanoseconds(wall_clock_ns()));
}

int exit_code_of_join_error(ErrorCode code) {
  switch (code) {
    case ErrorCode::kTimeout:
      return options::to_int(ExitCode::kMissingNodes);
    case ErrorCode::kPermissionDenied:
      return options::to_int(ExitCode::kRefused);
    case ErrorCode::kInvalidArgument:
      return options::to_int(ExitCode::kUsage);
    case ErrorCode::kUnavailable:
      return options::to_int(ExitCode::kLost);
    case ErrorCode::kNotFound:
      return options::to_int(ExitCode::kInternal);
    default:
      return options::to_int(ExitCode::kMissingNodes);
  }
}

}  // namespace

NodeAgent::NodeAgent(asio::io_context& loop, NodeAgentOptions options, process::Guardian& guardian,
                     output::OutputCarrier& output)
    : loop_(loop),
      options_(std::move(options)),
      guardian_(guardian),
      output_(output),
      builder_(options_.gangs),
      silence_timer_(loop),
      cancel_wait_(loop),
      linger_(loop) {}

NodeAgent::~NodeAgent() = default;

Status NodeAgent::start() {
  process::SignalObserver& signal_observer = *this;
  signals_ = std::make_unique<process::SignalDesk>(loop_, &guardian_, signal_observer);
  if (options_.session.place != 0U) {
    session_ = rendezvous::Session::join(loop_, options_.session, *this);
    return {};
  }
  MUSTER_RETURN_IF_ERROR(open_host({}));
  MUSTER_TRY(connection, host_->connect_local());
  session_ = rendezvous::Session::join_local(loop_, options_.session, std::move(connection), *this);
  return {};
}

// --- the session ------------------------------------------------------------------------------

void NodeAgent::on_roster(const rendezvous::Roster& roster) {
  joined_ = true;
  // Facts that make no plan are the coordinator's to tell, once; it reads the same ones.
  (void)builder_.set_roster(roster);
  start_prewarm(roster);
}

void NodeAgent::on_message(std::string_view bytes) {
  if (finished_) return;
  const Result<ToAgent> message = parse_to_agent(bytes);
  if (!message) return print("muster: " + message.error().message());
  if (const auto* check = std::get_if<StartCheck>(&*message)) {
    start_check(*check);
  } else if (const auto* workers = std::get_if<StartWorkers>(&*message)) {
    start_workers(*workers);
  } else if (const auto* stop = std::get_if<StopGang>(&*message)) {
    stop_gang(*stop);
  } else if (const auto* become = std::get_if<BecomeProgram>(&*message)) {
    become_program(*become);
  } else if (const auto* close = std::get_if<CloseJob>(&*message)) {
    close_job(*close);
  } else if (const auto* store = std::get_if<OpenStore>(&*message)) {
    open_store(*store);
  } else if (const auto* over = std::get_if<CloseStore>(&*message)) {
    close_store(*over);
  } else if (const auto* question = std::get_if<FindOwners>(&*message)) {
    find_owners(*question);
  } else if (const auto* told = std::get_if<OwnersTold>(&*message)) {
    hear_owners(*told);
  } else if (const auto* look = std::get_if<LookAtNode>(&*message)) {
    look_at_node(*look);
  }
}

void NodeAgent::on_coordinator_silent(bool silent) {
  if (!closing_) {
    print("muster: " + builder_.host() +
          (silent ? ": the coordinator is silent" : ": the coordinator is back"));
  }
  silent_ = silent;
  silence_timer_.cancel();
  silence_left_ = kSilencePatience;
  if (silent) watch_silence();
}

void NodeAgent::on_closed(const Error& error) {
  if (finished_) return;
  if (closing_) return finish(end_.exit_code);
  if (cancelled_by_ && !joined_) return finish(options::exit_code_of_signal(*cancelled_by_));
  if (!joined_) {
    // The host ends this agent: it stays for those who come late to hear why.
    if (host_ && session_->closed_by_coordinator()) return;
    // What the coordinator said, it says to the user itself; the others would only repeat it.
    if (!host_ && !session_->closed_by_coordinator()) {
      print("muster: " + builder_.host() + " did not reach the coordinator on " +
            options_.session.successors.front().hosts.front() + ": " + error.message());
    }
    return finish(exit_code_of_join_error(error.code()));
  }
  lose_coordinator(error);
}

// A coordinator that is stopped is silent and never lost, since its kernel answers. Running workers
// need nobody; before them nothing would ever happen. What it asks of us has deadlines far below.
void NodeAgent::watch_silence() {
  silence_timer_.expires_after(kSilenceTick);
  silence_timer_.async_wait([this](const auto& error) { on_silence_tick(error); });
}

void NodeAgent::on_silence_tick(const boost::system::error_code& error) {
  if (error || !silent_ || closing_ || finished_ || !joined_) return;
  if (workers_begun_) {
    silence_left_ = kSilencePatience;
    return watch_silence();
  }
  // Who stood still himself, with the whole job, begins to count anew.
  const bool stood_still = Clock::now() > silence_timer_.expiry() + kSilenceTick;
  silence_left_ = stood_still ? kSilencePatience : silence_left_ - kSilenceTick;
  if (silence_left_ > Duration{0}) return watch_silence();
  lose_coordinator(Error(ErrorCode::kTimeout,
                         session_->coordinator_address() + " is silent for more than " +
                             std::to_string(kSilencePatience / std::chrono::seconds(1)) +
                             " s and the workers are not started; is its process stopped?"));
}

void NodeAgent::on_note(std::string_view line) {
  print("muster: " + std::string(line));
}

void NodeAgent::lose_coordinator(const Error& error) {
  coordinator_lost_ = true;
  end_.exit_code = options::to_int(ExitCode::kLost);
  print("muster: " + builder_.host() + " lost the coordinator: " + error.message() +
        (gang_done_ ? "" : "; stopping its workers"));
  if (gang_done_) return finish(end_.exit_code);
  stop_local_gang(SIGTERM, false, options_.stop_grace);
}

// --- orders -----------------------------------------------------------------------------------

void NodeAgent::start_check(const StartCheck& order) {
  const std::string address = session_->coordinator_address();
  Result<GangPlan> plan = builder_.build_check(order, address.empty() ? "127.0.0.1" : address);
  if (!plan) {
    print("muster: check: " + plan.error().message());
    tell(GangFinished{order.gang, {}, 0});
    return;
  }
  start_gang(order.gang, std::move(*plan));
}

void NodeAgent::start_workers(const StartWorkers& order) {
  workers_begun_ = true;
  if (prewarm_) prewarm_->workers_start();
  if (looks_) looks_->stop_watching();
  Result<GangPlan> plan = builder_.build_workers(order, session_->coordinator_address());
  if (!plan) {
    verdict::WorkerEnd end;
    end.place.host = builder_.host();
    end.start_failure =
        verdict::StartFailure{plan.error().message(), options::to_int(ExitCode::kInternal)};
    end.when = wall_clock();
    tell(WorkerEnded{order.gang, end});
    tell(GangFinished{order.gang, {}, 0});
    return;
  }
  start_gang(order.gang, std::move(*plan));
}

void NodeAgent::start_gang(GangId gang, GangPlan plan) {
  gang_id_ = gang;
  plan_ = std::move(plan);
  ends_.clear();
  stop_sent_.reset();
  ladder_signal_.reset();
  killed_ = 0;
  output_.begin_attempt(plan_.attempt, plan_.fields);
  process::GangOptions gang_options;
  gang_options.marker = options_.gangs.marker;
  process::GangObserver& gang_observer = *this;
  gang_ = std::make_unique<process::Gang>(loop_, gang_options, gang_observer, &guardian_, &output_);
  gang_done_ = false;
  unstarted_ = plan_.specs.size();
  gang_->start(std::exchange(plan_.specs, {}));
  plan_.spawn_only.clear();
  if (cancelled_by_) stop_local_gang(*cancelled_by_, false, options_.stop_grace);
}

void NodeAgent::stop_gang(const StopGang& order) {
  // What comes next, the end or another attempt, has to be told.
  workers_begun_ = false;
  if (order.cancelled && prewarm_) prewarm_->cancel();
  if (gang_done_ || order.gang != gang_id_) {
    tell(GangFinished{order.gang, {}, 0});  // never started here, or gone already
    return;
  }
  const int signum = static_cast<int>(order.signal);
  if (!order.cancelled) return stop_local_gang(signum, false, order.grace);
  if (cancelled_by_) return;  // under way since our own signal
  cancel_wait_.expires_after(kSlurmFanOut);
  cancel_wait_.async_wait(
      [this, gang = order.gang, signum](const boost::system::error_code& error) {
        on_cancel_wait_over(error, gang, signum);
      });
}

// Slurm's own signal did not come: a cancel that reached other nodes only.
void NodeAgent::on_cancel_wait_over(const boost::system::error_code& error, GangId gang,
                                    int signum) {
  if (error == asio::error::operation_aborted || cancelled_by_ || gang != gang_id_) return;
  stop_local_gang(signum, false, options_.stop_grace);
}

void NodeAgent::stop_local_gang(int signum, bool already_delivered, Duration grace) {
  if (gang_done_) return;
  if (!stop_sent_) stop_sent_ = wall_clock();
  if (!already_delivered) ladder_signal_ = signum;
  process::StopPlan plan;
  plan.first_signal = signum;
  plan.first_signal_sent = already_delivered;
  plan.grace = plan_.is_check ? std::min(grace, kCheckStopGrace) : grace;
  gang_->stop(plan);
}

void NodeAgent::become_program(const BecomeProgram& order) {
  Result<WorkerLaunch> launch = builder_.build_exec(order, session_->coordinator_address());
  if (!launch) {
    print("muster: " + launch.error().message());
    return finish(options::to_int(ExitCode::kInternal));
  }
  end_.exec = true;
  end_.launch = std::move(*launch);
  close_job(CloseJob{0});
}

void NodeAgent::close_job(const CloseJob& order) {
  closing_ = true;
  if (looks_) looks_->stop_watching();
  end_.exit_code = static_cast<int>(order.exit_code);
  tell(CloseAcknowledged{});
  stop_prewarm();
  if (host_) return;  // the coordinator's own agent goes last, when finish() is called
  session_->leave(kLeavePatience, [this](const Status&) { finish(end_.exit_code); });
}

// --- the gang ---------------------------------------------------------------------------------

void NodeAgent::on_started(LocalRank local_rank, pid_t pid) {
  note_start();
  // So that a log shows what training ran on, by its first rank.
  const output::WorkerFields& first = plan_.fields.front();
  if (plan_.is_check || first.rank != Rank{0} || first.local_rank != local_rank) return;
  health::LibraryWatchOptions watch;
  watch.checked = checked_;
  libraries_ = std::make_unique<health::LibraryWatch>(
      loop_, pid, std::move(watch), [this](const std::string& line) { print("muster: " + line); });
}

void NodeAgent::on_start_failed(LocalRank local_rank, const Error& error, int exit_code) {
  verdict::WorkerEnd end;
  end.place = plan_.processes[value_of(local_rank) - value_of(plan_.fields[0].local_rank)].place;
  end.start_failure = verdict::StartFailure{error.message(), exit_code};
  end.when = wall_clock();
  report_end(end);
  note_start();
}

// The coordinator waits for this word of every agent, and for no worker's start.
void NodeAgent::note_start() {
  if (--unstarted_ == 0 && !plan_.is_check) tell(WorkersStarted{gang_id_});
}

void NodeAgent::on_exited(LocalRank local_rank, process::ExitStatus status,
                          process::WallTime when) {
  verdict::WorkerEnd end;
  end.place = plan_.processes[value_of(local_rank) - value_of(plan_.fields[0].local_rank)].place;
  end.status = status;
  end.when = when;
  end.stop_sent = stop_sent_;
  report_end(end);
}

void NodeAgent::report_end(const verdict::WorkerEnd& end) {
  ends_.push_back(end);
  tell(WorkerEnded{gang_id_, end});
}

void NodeAgent::on_killed(std::size_t workers_left) {
  killed_ = static_cast<std::uint32_t>(workers_left);
}

void NodeAgent::on_finished(const process::GangEnd& end) {
  libraries_.reset();
  for (const process::StuckProcess& stuck : end.stuck) {
    end_.clean = false;
    // Without a pid it is our own search for what escaped.
    print("muster: " + builder_.host() + ": " +
          (stuck.pid == 0 ? "the " + stuck.label + " did not end in time"
                          : "process " + std::to_string(stuck.pid) + " (" + stuck.label +
                                ") got SIGKILL and is still there"));
  }
  if (!plan_.is_check) report_last_words();
  GangFinished message{gang_id_, {}, killed_, 0};
  for (const process::StuckProcess& stuck : end.stuck) {
    if (stuck.pid != 0) ++message.stuck;
  }
  if (plan_.is_check) {
    for (const GangProcess& one : plan_.processes) {
      message.reports.push_back(GangBuilder::read_report(one));
      note_check(message.reports.back());
    }
  }
  tell(message);
  gang_done_ = true;
  asio::post(loop_, [this]() { forget_gang(); });
  if (coordinator_lost_) finish(end_.exit_code);
}

// Ends were told without words, so that the others stop at once; now the output is drained.
void NodeAgent::report_last_words() {
  for (verdict::WorkerEnd& end : ends_) {
    if (!end.start_failure && end.status.success()) continue;
    for (std::size_t i = 0; i < plan_.processes.size(); ++i) {
      const GangProcess& one = plan_.processes[i];
      if (one.place.rank != end.place.rank) continue;
      end.error_file = GangBuilder::read_error_file(one);
      end.stderr_tail =
          output_.last_lines(plan_.fields[i].local_rank, output::Stream::kErr, kReportedTail);
    }
    const std::optional<int> signal = end.status.signal();
    const bool stopped_by_us =
        end.stop_sent && signal && (*signal == SIGTERM || *signal == SIGKILL || *signal == SIGINT);
    if (!stopped_by_us || !end.error_file.empty()) tell(WorkerEnded{gang_id_, end});
  }
}

// --- signals ----------------------------------------------------------------------------------

// Not if the next gang has taken its place by now.
void NodeAgent::forget_gang() {
  if (gang_done_) gang_.reset();
}

void NodeAgent::on_signal(int signum, process::SignalAction action) {
  if (action != process::SignalAction::kStop || closing_) return;
  if (signum == SIGINT && ++interrupts_ > 1 && gang_) return gang_->hurry();
  if (cancelled_by_) return;
  cancelled_by_ = signum;
  if (prewarm_) prewarm_->cancel();
  if (!joined_) {
    if (host_) {
      const std::string what = process::signal_name(signum) + " on " + builder_.host();
      print("muster: " + what + " while the agents were gathering");
      host_->close("cancelled by " + what);
    }
    const int exit_code = options::exit_code_of_signal(signum);
    if (host_) return finish(exit_code);
    return session_->leave(kLeavePatience, [this, exit_code](const Status&) { finish(exit_code); });
  }
  tell(CancelSeen{static_cast<std::uint32_t>(signum), wall_clock_ns()});
  stop_local_gang(signum, true, options_.stop_grace);
}

void NodeAgent::on_forward(int signum) {
  if (ladder_signal_ == signum) return;  // they have it from the ladder
  if (gang_) gang_->signal_all(signum);
}

void NodeAgent::on_guardian_lost() {
  if (!finished_) {
    print("muster: " + builder_.host() +
          ": the guardian is gone; workers would outlive a SIGKILL of their agent");
  }
}

// --- the end ----------------------------------------------------------------------------------

void NodeAgent::tell(const FromAgent& message) {
  if (!coordinator_lost_ && !finished_ && session_) session_->send(encode(message));
}

void NodeAgent::print(const std::string& line) {
  std::size_t begin = 0;
  while (begin <= line.size()) {
    const std::size_t end = std::min(line.find('\n', begin), line.size());
    output_.print(std::string_view(line).substr(begin, end - begin));
    begin = end + 1;
  }
}

void NodeAgent::finish(int exit_code) {
  if (finished_) return;
  finished_ = true;
  end_.exit_code = exit_code;
  // Not here: this may run inside a callback of what is being ended.
  asio::post(loop_, [this]() { finish_prewarm(); });
}

void NodeAgent::finish_output() {
  libraries_.reset();
  looks_.reset();
  gang_.reset();
  door_.reset();  // the gangs of all agents are gone
  const bool may_be_cut = agent_lost_ || coordinator_lost_ || (cancelled_by_ && !joined_);
  output_.finish([this, may_be_cut]() {
    linger_.expires_after(may_be_cut ? kLingerForSrun : Duration{0});
    linger_.async_wait([this](const boost::system::error_code&) { loop_.stop(); });
  });
}

}  // namespace muster::launcher
