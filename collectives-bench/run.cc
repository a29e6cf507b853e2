#include "collectives-bench/run.h"

#include <fmt/format.h>
#include <csignal>

#include "collectives-bench/agreement.h"
#include "collectives-bench/module_loader.h"
#include "collectives-bench/pattern.h"

namespace muster::bench {

namespace {

double seconds_since(TimePoint began) {
  return std::chrono::duration<double>(Clock::now() - began).count();
}

// One run on one rank. Fills the report as it goes, so that a failure keeps what came before.
class Runner : private SweepObserver {
 public:
  Runner(const RunPlan& plan, Exchange& exchange, RunObserver& observer, TimePoint deadline)
      : plan_(plan), exchange_(exchange), observer_(observer), deadline_(deadline) {
    report_ = blank_report(plan.seat);
    report_.timings.join = plan.join_seconds;
  }

  RankReport run() {
    const Status status = run_phases();
    if (!status) {
      report_.error = ReportError{status.error().code(), status.error().message(), phase_};
      observer_.on_failure(report_);
      if (backend_) backend_->abort();
    }
    backend_.reset();
    return report_;
  }

 private:
  Status run_phases() {
    enter(Phase::kLoad);
    if (plan_.seat.size > kMaxRanks) {
      return failure(ErrorCode::kLimit, fmt::format("{} ranks: at most {} can be verified",
                                                    plan_.seat.size, kMaxRanks));
    }
    MUSTER_TRY(sizes, expand_sizes(plan_.options.sizes));
    MUSTER_TRY(name, choose_backend());
    report_.backend = name;
    MUSTER_RETURN_IF_ERROR(agree(exchange_, plan_.seat.host, load(name, sizes.back()), deadline_));
    MUSTER_RETURN_IF_ERROR(open());
    const Sweep sweep{.sizes = std::move(sizes),
                      .iterations = plan_.options.iterations,
                      .warmup = plan_.options.warmup,
                      .checks = plan_.options.checks};
    MUSTER_RETURN_IF_ERROR(run_sweep(*backend_, exchange_, sweep, *this, deadline_));
    note_facts(backend_->facts());
    enter(Phase::kClose);
    return backend_->close(deadline_);
  }

  // "auto" is nccl where every rank can use it, else fabric. All ranks take part in the choice.
  Result<std::string> choose_backend() {
    if (plan_.options.backend != "auto") return plan_.options.backend;
    const Status usable = load("nccl", plan_.options.sizes.max_bytes);
    backend_.reset();
    MUSTER_TRY(obstacles,
               gather_or_fail(exchange_, plan_.seat.host,
                              usable ? std::string() : usable.error().message(), deadline_));
    for (std::size_t rank = 0; rank < obstacles.size(); ++rank) {
      if (obstacles[rank].empty()) continue;
      observer_.on_note(fmt::format("backend auto: fabric, since rank {} cannot use nccl: {}", rank,
                                    obstacles[rank]));
      return "fabric";
    }
    observer_.on_note("backend auto: nccl, all ranks can use it");
    return "nccl";
  }

  Status load(const std::string& name, std::uint64_t max_bytes) {
    options_ = BackendOptions{.seat = plan_.seat,
                              .max_bytes = max_bytes,
                              .interface = plan_.options.interface,
                              .nccl_library = plan_.options.nccl_library};
    MUSTER_TRY(module, LoadedModule::open(name, module_folders(plan_.environment, plan_.program)));
    const Status usable = module.module().probe(options_);
    restore_signals();
    if (!usable) return usable;
    backend_ = module.module().create();
    return {};
  }

  Status open() {
    enter(Phase::kInit);
    const TimePoint began = Clock::now();
    auto facts = backend_->open(options_, exchange_, deadline_);
    restore_signals();
    report_.timings.init = seconds_since(began);
    if (!facts) return failure(facts.error());
    note_facts(*facts);
    observer_.on_open(report_);
    return {};
  }

  // libpsm2, which Debian's libfabric loads, takes these over; its handler of SIGTERM deadlocks,
  // and a check that is cancelled would stay until SIGKILL.
  static void restore_signals() {
    for (const int signum : {SIGINT, SIGILL, SIGABRT, SIGBUS, SIGSEGV, SIGTERM}) {
      ::signal(signum, SIG_DFL);
    }
  }

  void note_facts(const BackendFacts& facts) {
    report_.library = facts.library;
    report_.path = facts.path;
    report_.network = facts.network;
    report_.device = facts.device;
  }

  void on_phase(Phase phase) override { enter(phase); }
  void on_row(const Row& own, const Row& world) override {
    report_.rows.push_back(own);
    observer_.on_row(own, world);
  }

  void enter(Phase phase) {
    const double spent = seconds_since(entered_);
    if (phase_ == Phase::kWarmup) report_.timings.warmup += spent;
    if (phase_ == Phase::kMeasure) report_.timings.measure += spent;
    phase_ = phase;
    entered_ = Clock::now();
    observer_.on_phase(phase);
  }

  const RunPlan& plan_;
  Exchange& exchange_;
  RunObserver& observer_;
  TimePoint deadline_;
  BackendOptions options_;
  std::unique_ptr<Backend> backend_;
  RankReport report_;
  Phase phase_ = Phase::kLoad;
  TimePoint entered_ = Clock::now();
};

}  // namespace

RankReport blank_report(const Seat& seat) {
  RankReport report;
  report.rank = seat.rank;
  report.size = seat.size;
  report.node = seat.node;
  report.host = seat.host;
  return report;
}

RankReport run_bench(const RunPlan& plan, Exchange& exchange, RunObserver& observer,
                     TimePoint deadline) {
  return Runner(plan, exchange, observer, deadline).run();
}

}  // namespace muster::bench
