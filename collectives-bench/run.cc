#include "collectives-bench/run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <set>

#include "collectives-bench/agreement.h"
#include "collectives-bench/module_loader.h"
#include "collectives-bench/part_exchange.h"
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
    report_.operation = plan.options.operation;
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
    MUSTER_RETURN_IF_ERROR(meet());
    MUSTER_TRY(sizes, choose_sizes());
    MUSTER_TRY(name, choose_backend());
    report_.backend = name;
    MUSTER_RETURN_IF_ERROR(agree(exchange_, plan_.seat.host, load(name, sizes.back()), deadline_));
    const Group& group = group_of(groups_, plan_.seat.rank);
    PartExchange part(exchange_, group);
    MUSTER_RETURN_IF_ERROR(open(part));
    Sweep sweep{.operation = plan_.options.operation,
                .root = plan_.options.root,
                .sizes = std::move(sizes),
                .iterations = plan_.options.iterations,
                .warmup = plan_.options.warmup,
                .in_place = plan_.options.in_place,
                .checks = plan_.options.checks,
                .groups = groups_};
    if (!nics_.empty()) sweep.nics = nics_;
    if (sweep.sizes.size() * sweep.nics.size() > kMaxReportRows) {
      return failure(
          ErrorCode::kInvalidArgument,
          fmt::format("{} sizes by each of {} NICs: at most {} rows; use a larger -f or -i",
                      sweep.sizes.size(), sweep.nics.size(), kMaxReportRows));
    }
    MUSTER_RETURN_IF_ERROR(tell_facts(sweep));
    MUSTER_RETURN_IF_ERROR(run_sweep(*backend_, exchange_, sweep, *this, deadline_));
    note_facts(backend_->facts());
    enter(Phase::kClose);
    return backend_->close(deadline_);
  }

  // Learns who is there, checks that it is the world that was expected, and forms the groups.
  Status meet() {
    for (const std::string& note : plan_.notes) observer_.on_note(note);
    Member self;
    self.place = {plan_.seat.node, plan_.seat.local_rank, plan_.seat.host};
    self.pid = static_cast<std::uint32_t>(::getpid());
    self.command = fingerprint(plan_.options);
    Result<std::string> own = print_member(self);
    if (!plan_.ready) own = failure(plan_.ready.error());
    MUSTER_TRY(gathered, gather_or_fail(exchange_, plan_.seat.host, own, deadline_));
    for (const std::string& bytes : gathered) {
      MUSTER_TRY(member, parse_member(bytes));
      members_.push_back(std::move(member));
    }
    MUSTER_RETURN_IF_ERROR(check_world(members_, plan_.seat.size));
    groups_ = split_world(plan_.options.split, places_of(members_));
    for (const Group& group : groups_) {
      if (plan_.options.root < group.ranks.size()) continue;
      return failure(
          ErrorCode::kInvalidArgument,
          fmt::format("-r {}: {} has {} ranks", plan_.options.root,
                      group.name == "all" ? "the world" : group.name, group.ranks.size()));
    }
    return {};
  }

  // Those of which every rank of every group gets a part.
  Result<std::vector<std::uint64_t>> choose_sizes() {
    MUSTER_TRY(asked, expand_sizes(plan_.options.sizes));
    std::size_t ranks = 1;
    for (const Group& group : groups_) ranks = std::max(ranks, group.ranks.size());
    std::vector<std::uint64_t> sizes;
    for (const std::uint64_t bytes : asked) {
      if (count_for(plan_.options.operation, bytes, ranks) > 0) sizes.push_back(bytes);
    }
    const std::string_view operation = to_string(plan_.options.operation);
    const std::string why =
        fmt::format("{} needs 16 bytes a rank, here {}", operation, bytes_text(16 * ranks));
    if (sizes.empty()) return failure(ErrorCode::kInvalidArgument, why);
    if (sizes.size() < asked.size()) {
      observer_.on_note(fmt::format("{}: {} of {} sizes left out", why, asked.size() - sizes.size(),
                                    asked.size()));
    }
    return sizes;
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

  // This rank among those of its group. The local rank stays that on the node: GPUs and NICs are
  // chosen by it.
  Seat seat_in_group() const {
    const Group& group = group_of(groups_, plan_.seat.rank);
    Seat seat = plan_.seat;
    seat.size = static_cast<std::uint32_t>(group.ranks.size());
    seat.rank = 0;
    std::set<std::uint32_t> nodes;
    for (const std::uint32_t rank : group.ranks) {
      nodes.insert(members_[rank].place.node);
      if (rank < plan_.seat.rank) ++seat.rank;
    }
    seat.nodes = static_cast<std::uint32_t>(nodes.size());
    return seat;
  }

  Status load(const std::string& name, std::uint64_t max_bytes) {
    options_ = BackendOptions{.seat = seat_in_group(),
                              .max_bytes = max_bytes,
                              .interface = plan_.options.interface,
                              .nccl_library = plan_.options.nccl_library,
                              .transport = plan_.options.transport,
                              .nic = plan_.options.nic,
                              .times_each = plan_.options.times_each,
                              // A gang measures large sizes, and its verdict asks for it.
                              .tells_algorithm = plan_.options.report_fd.has_value()};
    MUSTER_TRY(module, LoadedModule::open(name, module_folders(plan_.environment, plan_.program)));
    const Status usable = module.module().probe(options_);
    restore_signals();
    if (!usable) return usable;
    backend_ = module.module().create();
    return {};
  }

  Status open(Exchange& part) {
    enter(Phase::kInit);
    const TimePoint began = Clock::now();
    auto facts = backend_->open(options_, part, deadline_);
    restore_signals();
    report_.timings.init = seconds_since(began);
    if (facts) {
      report_.timings.context = facts->context_seconds;
      report_.timings.init -= facts->context_seconds;
    }
    if (!facts) return failure(facts.error());
    note_facts(*facts);
    return {};
  }

  // All ranks learn what each of them uses.
  Status tell_facts(const Sweep& sweep) {
    Member& self = members_[plan_.seat.rank];
    self.device = report_.device;
    self.network = report_.network;
    self.library = report_.library;
    MUSTER_TRY(gathered, gather_or_fail(exchange_, plan_.seat.host, print_member(self), deadline_));
    for (std::size_t rank = 0; rank < gathered.size(); ++rank) {
      MUSTER_TRY(member, parse_member(gathered[rank]));
      members_[rank] = std::move(member);
    }
    for (const std::string& oddity : oddities(members_)) observer_.on_note(oddity);
    observer_.on_open(report_, members_, sweep);
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
    nics_ = facts.nics;
    report_.algorithm = facts.algorithm;
    report_.nccl = facts.nccl;
  }

  void on_phase(Phase phase) override { enter(phase); }
  void on_step(std::size_t place) override { observer_.on_step(place); }
  void on_half_row(const Row& row) override { observer_.on_half_row(row); }
  void on_row(const Row& own, std::span<const Row> groups) override {
    report_.rows.push_back(own);
    observer_.on_row(own, groups);
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
  std::vector<Member> members_;
  std::vector<Group> groups_;
  std::vector<std::string> nics_;  // that are measured in turns
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
