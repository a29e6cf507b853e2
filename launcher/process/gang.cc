#include "launcher/process/gang.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <optional>
#include <set>

#include "launcher/process/marker.h"
#include "launcher/process/orphan_reaper.h"
#include "launcher/process/process_table.h"
#include "launcher/process/sweeper.h"
#include "rendezvous/base/asio.h"

namespace muster::process {
namespace {

using boost::system::error_code;
using Watched = asio::posix::stream_descriptor;

constexpr Duration kLookDelay{1};        // exits of one moment share one look at /proc
constexpr Duration kLookInterval{50};    // while groups live on
constexpr Duration kKilledLimit{2'000};  // for the members of a killed group to go

enum class Phase {
  kStarting,  // forked; the exec has not reported
  kRunning,
  kEnded,  // the leader is a zombie, which pins the group's id; members may live
  kGone,   // reaped, or its program never started
  kStuck,  // SIGKILL sent, still there
};

struct Member {
  Member(asio::io_context& io, WorkerSpec the_spec)
      : spec(std::move(the_spec)), exit(io), report(io) {}

  WorkerSpec spec;
  Child child;
  Watched exit;
  Watched report;
  Phase phase = Phase::kStarting;
  bool failed = false;                 // the program never ran
  TimePoint patience_until{};          // of a leader that ended: then its group is killed
  std::optional<TimePoint> killed_at;  // the group got SIGKILL

  bool has_leader() const { return phase == Phase::kStarting || phase == Phase::kRunning; }
  bool has_group() const { return has_leader() || phase == Phase::kEnded; }
};

bool names_target(const SpawnPlan& plan, int target) {
  return std::any_of(plan.fds.begin(), plan.fds.end(),
                     [target](const auto& pair) { return pair.first == target; });
}

}  // namespace

Status become_subreaper() {
  ::signal(SIGCHLD, SIG_DFL);  // inherited as ignored, children would vanish with their status
  if (::prctl(PR_SET_CHILD_SUBREAPER, 1) != 0)
    return failure(system_error("become the reaper of orphans", errno));
  return {};
}

class Gang::Body : public std::enable_shared_from_this<Gang::Body> {
 public:
  Body(asio::io_context& io, GangOptions options, GangObserver& observer, Guardian* guardian,
       GangOutput* output)
      : io_(io),
        options_(std::move(options)),
        observer_(&observer),
        guardian_(guardian),
        output_(output),
        look_timer_(io),
        ladder_timer_(io),
        orphans_(io) {}

  void start(std::vector<WorkerSpec> workers);
  void signal_all(int signum);
  void stop(const StopPlan& plan);
  void hurry();
  void abandon();
  std::size_t running() const;
  std::vector<pid_t> pids() const;

 private:
  void start_member(Member& member, const Fd& null);
  Status try_start(Member& member, const Fd& null);
  void watch(Member& member);
  void on_report(Member& member, const error_code& error);
  void read_report(Member& member);
  void on_exit(Member& member, const error_code& error);
  void fail_start(Member& member, const Error& error, int exit_code);
  void kill_group(Member& member);

  void schedule_look(Duration delay);
  void on_look(const error_code& error);
  void look_at_groups();
  void judge_group(Member& member, bool alive, TimePoint now);

  void schedule_ladder();
  void on_ladder(const error_code& error);
  void climb();
  void report_stuck();

  void finish_if_done();
  void on_swept(const SweepResult& result, bool in_time);
  void on_drained();
  void cancel_all();

  asio::io_context& io_;
  GangOptions options_;
  GangObserver* observer_;  // null once the gang is destroyed or finished
  Guardian* guardian_;
  GangOutput* output_;
  std::vector<std::unique_ptr<Member>> members_;  // pinned: handlers refer to them
  std::optional<StopLadder> ladder_;
  asio::steady_timer look_timer_;
  asio::steady_timer ladder_timer_;
  OrphanReaper orphans_;
  bool look_pending_ = false;
  bool ending_ = false;
  GangEnd end_;
};

void Gang::Body::start(std::vector<WorkerSpec> workers) {
  const Fd null(::open("/dev/null", O_RDWR | O_CLOEXEC));
  for (WorkerSpec& spec : workers)
    members_.push_back(std::make_unique<Member>(io_, std::move(spec)));
  for (const auto& member : members_) start_member(*member, null);
  asio::post(io_, [self = shared_from_this()] { self->finish_if_done(); });  // none could start
}

void Gang::Body::start_member(Member& member, const Fd& null) {
  const Status started = try_start(member, null);
  if (started) {
    watch(member);
    return;
  }
  member.phase = Phase::kGone;
  asio::post(io_, [self = shared_from_this(), &member, error = started.error()] {
    self->fail_start(member, error, 126);
  });
}

Status Gang::Body::try_start(Member& member, const Fd& null) {
  SpawnPlan plan = member.spec.plan;
  if (!names_target(plan, 0)) plan.fds.emplace_back(0, null.get());
  GangOutput::Ends ends;
  if (output_ != nullptr) {
    MUSTER_TRY(opened, output_->open(member.spec.local_rank));
    ends = std::move(opened);
  }
  if (ends.out.is_open()) plan.fds.emplace_back(1, ends.out.get());
  if (ends.err.is_open()) plan.fds.emplace_back(2, ends.err.get());
  plan.own_group = true;
  MUSTER_TRY(child, spawn(plan));
  member.child = std::move(child);
  orphans_.watch_group(member.child.pid);
  if (guardian_ != nullptr) guardian_->watch_group(member.child.pid);
  return {};
}

void Gang::Body::watch(Member& member) {
  // Copies: Asio owns what it watches, and the member's own are still needed then.
  member.exit.assign(::fcntl(member.child.pidfd.get(), F_DUPFD_CLOEXEC, 3));
  member.report.assign(::fcntl(member.child.exec_report.get(), F_DUPFD_CLOEXEC, 3));
  member.report.async_wait(Watched::wait_read, [self = shared_from_this(), &member](auto error) {
    self->on_report(member, error);
  });
  member.exit.async_wait(Watched::wait_read, [self = shared_from_this(), &member](auto error) {
    self->on_exit(member, error);
  });
}

void Gang::Body::on_report(Member& member, const error_code& error) {
  if (error || observer_ == nullptr) return;
  if (member.phase == Phase::kStarting) read_report(member);
}

void Gang::Body::read_report(Member& member) {
  const auto refused = read_exec_report(member.child, member.spec.plan);
  error_code ignored;
  member.report.close(ignored);
  member.child.exec_report.reset();
  member.phase = Phase::kRunning;
  if (refused) {
    member.failed = true;
    const ErrorCode code = refused->exit_code == 127 ? ErrorCode::kNotFound : ErrorCode::kSystem;
    fail_start(member, Error(code, refused->text), refused->exit_code);
  } else {
    observer_->on_started(member.spec.local_rank, member.child.pid);
  }
}

void Gang::Body::fail_start(Member& member, const Error& error, int exit_code) {
  if (observer_ == nullptr) return;
  observer_->on_start_failed(member.spec.local_rank, error, exit_code);
}

void Gang::Body::on_exit(Member& member, const error_code& error) {
  if (error || observer_ == nullptr || !member.has_leader()) return;
  if (member.phase == Phase::kStarting) read_report(member);  // it reported before it ended
  if (observer_ == nullptr) return;
  // Nobody else may reap our children; if somebody did, the status is lost, but nothing hangs.
  const auto status = peek_exit(member.child.pidfd).value_or(ExitStatus::exited(255));
  member.phase = Phase::kEnded;
  if (member.spec.plan.take_terminal) ::tcsetpgrp(0, ::getpgrp());
  const bool patient = status.success() && !(ladder_ && ladder_->kill_sent());
  member.patience_until = Clock::now() + (patient ? options_.patience : Duration{0});
  if (!patient) kill_group(member);
  schedule_look(kLookDelay);
  if (!member.failed)
    observer_->on_exited(member.spec.local_rank, status, std::chrono::system_clock::now());
}

// Only while the leader runs or is unreaped: then the group's id is certainly its own.
void Gang::Body::kill_group(Member& member) {
  ::kill(-member.child.pid, SIGKILL);
  if (!member.killed_at) member.killed_at = Clock::now();
}

void Gang::Body::schedule_look(Duration delay) {
  if (look_pending_) return;
  look_pending_ = true;
  look_timer_.expires_after(delay);
  look_timer_.async_wait([self = shared_from_this()](auto error) { self->on_look(error); });
}

void Gang::Body::on_look(const error_code& error) {
  look_pending_ = false;
  if (error || observer_ == nullptr) return;
  look_at_groups();
  finish_if_done();
}

void Gang::Body::look_at_groups() {
  std::set<pid_t> living;
  for (const ProcessRecord& record : own_processes())
    if (!record.is_zombie()) living.insert(record.group);
  orphans_
      .reap_now();  // after the look: what is dead in it is reaped before its group is forgotten
  const TimePoint now = Clock::now();
  bool waiting = false;
  for (const auto& member : members_) {
    if (member->phase != Phase::kEnded) continue;
    judge_group(*member, living.count(member->child.pid) != 0, now);
    waiting = waiting || member->phase == Phase::kEnded;
  }
  if (waiting) schedule_look(kLookInterval);
}

void Gang::Body::judge_group(Member& member, bool alive, TimePoint now) {
  if (!alive) {
    orphans_.forget_group(member.child.pid);
    if (guardian_ != nullptr) guardian_->forget_group(member.child.pid);
    reap(member.child.pidfd);
    member.phase = Phase::kGone;
  } else if (!member.killed_at && now >= member.patience_until) {
    kill_group(member);
  } else if (member.killed_at && now >= *member.killed_at + kKilledLimit) {
    end_.stuck.push_back({member.child.pid, member.spec.label + "'s group"});
    member.phase = Phase::kStuck;
  }
}

void Gang::Body::signal_all(int signum) {
  for (const auto& member : members_)
    if (member->has_group()) ::kill(-member->child.pid, signum);
}

void Gang::Body::stop(const StopPlan& plan) {
  if (ending_) return;
  if (ladder_) {
    ladder_->tighten(plan, Clock::now());
  } else {
    ladder_.emplace(plan, Clock::now());
  }
  schedule_ladder();
}

void Gang::Body::hurry() {
  if (ending_) return;
  StopPlan plan;
  plan.first_signal = SIGKILL;
  if (ladder_) {
    ladder_->hurry(Clock::now());
  } else {
    ladder_.emplace(plan, Clock::now());
  }
  schedule_ladder();
}

void Gang::Body::schedule_ladder() {
  const auto deadline = ladder_->next_deadline();
  if (!deadline) return;
  ladder_timer_.expires_at(*deadline);
  ladder_timer_.async_wait([self = shared_from_this()](auto error) { self->on_ladder(error); });
}

void Gang::Body::on_ladder(const error_code& error) {
  if (error || observer_ == nullptr || ending_) return;
  climb();
  if (observer_ != nullptr && !ending_) schedule_ladder();
}

void Gang::Body::climb() {
  for (const StopAction action : ladder_->step(Clock::now())) {
    switch (action) {
      case StopAction::kSendFirst:
        signal_all(ladder_->first_signal());
        signal_all(SIGCONT);  // a stopped process acts on no other signal
        break;
      case StopAction::kSendTerm:
        signal_all(SIGTERM);
        signal_all(SIGCONT);
        break;
      case StopAction::kSendKill:
        for (const auto& member : members_)
          if (member->has_group()) kill_group(*member);
        observer_->on_killed(running());
        break;
      case StopAction::kReportStuck:
        report_stuck();
        break;
    }
    if (observer_ == nullptr) return;
  }
}

void Gang::Body::report_stuck() {
  for (const auto& member : members_) {
    if (!member->has_leader()) continue;
    end_.stuck.push_back({member->child.pid, member->spec.label});
    member->phase = Phase::kStuck;
  }
  finish_if_done();
}

void Gang::Body::finish_if_done() {
  if (ending_ || observer_ == nullptr) return;
  for (const auto& member : members_)
    if (member->has_group()) return;
  ending_ = true;
  ladder_timer_.cancel();
  SweepTarget target;
  target.markers = {options_.marker};
  if (!options_.beside) {
    target.agent = ::getpid();
    target.agent_session = ::getsid(0);
    target.spared = beside_marker(options_.marker);
  }
  for (const auto& member : members_)
    if (member->phase == Phase::kStuck) target.groups.push_back(member->child.pid);
  start_sweeper(io_, target, options_.sweep_limit,
                [self = shared_from_this()](const SweepResult& result, bool in_time) {
                  self->on_swept(result, in_time);
                });
}

void Gang::Body::on_swept(const SweepResult& result, bool in_time) {
  if (observer_ == nullptr) return;
  for (const pid_t pid : result.left) end_.stuck.push_back({pid, "descendant"});
  if (!in_time) end_.stuck.push_back({0, "sweep for descendants"});
  end_.escaped_killed = result.killed.size();
  orphans_.expect(result.killed);
  orphans_.reap_now();
  if (output_ == nullptr) {
    on_drained();
    return;
  }
  output_->drain([self = shared_from_this()] { self->on_drained(); });
}

void Gang::Body::on_drained() {
  if (observer_ == nullptr) return;
  cancel_all();
  GangObserver* observer = std::exchange(observer_, nullptr);
  observer->on_finished(end_);
}

void Gang::Body::cancel_all() {
  error_code ignored;
  look_timer_.cancel();
  ladder_timer_.cancel();
  for (const auto& member : members_) {
    member->exit.close(ignored);
    member->report.close(ignored);
  }
}

void Gang::Body::abandon() {
  if (observer_ == nullptr) return;
  observer_ = nullptr;
  cancel_all();
  for (const auto& member : members_)
    if (member->has_group()) kill_group(*member);
}

std::size_t Gang::Body::running() const {
  return pids().size();
}

std::vector<pid_t> Gang::Body::pids() const {
  std::vector<pid_t> pids;
  for (const auto& member : members_)
    if (member->has_leader() && !member->failed) pids.push_back(member->child.pid);
  return pids;
}

Gang::Gang(asio::io_context& io, GangOptions options, GangObserver& observer, Guardian* guardian,
           GangOutput* output)
    : body_(std::make_shared<Body>(io, std::move(options), observer, guardian, output)) {}

Gang::~Gang() {
  body_->abandon();
}

void Gang::start(std::vector<WorkerSpec> workers) {
  body_->start(std::move(workers));
}

void Gang::signal_all(int signum) {
  body_->signal_all(signum);
}

void Gang::stop(const StopPlan& plan) {
  body_->stop(plan);
}

void Gang::hurry() {
  body_->hurry();
}

std::size_t Gang::running() const {
  return body_->running();
}

std::vector<pid_t> Gang::pids() const {
  return body_->pids();
}

}  // namespace muster::process
