#include "collectives-bench/program.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "collectives-bench/table.h"
#include "collectives-bench/watchdog.h"

namespace muster::bench {

namespace {

constexpr Duration kWatchdogGrace = std::chrono::seconds(1);  // our own deadlines come first

std::string error_line(const Seat& seat, const ReportError& error) {
  return fmt::format("muster-bench: rank {} ({}): {}: {}\n", seat.rank, seat.host,
                     to_string(error.phase), error.text);
}

Status write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const auto count = ::write(fd, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failure(system_error(fmt::format("write report to fd {}", fd), errno));
    bytes.remove_prefix(static_cast<std::size_t>(count));
  }
  return {};
}

class Printer : public RunObserver {
 public:
  explicit Printer(const RunPlan& plan)
      : plan_(plan),
        prints_table_(plan.seat.rank == 0 && !plan.options.json && !plan.options.report_fd) {}

  void on_phase(Phase phase) override {
    RankReport report = blank_report(plan_.seat);
    report.backend = backend_;
    report.error = ReportError{ErrorCode::kTimeout, "a library call did not come back", phase};
    on_failure(report);
  }

  void on_failure(const RankReport& report) override {
    prepare_last_words(error_line(plan_.seat, *report.error), plan_.options.report_fd.value_or(-1),
                       print_report(report) + "\n");
  }

  void on_open(const RankReport& report) override {
    backend_ = report.backend;
    if (!prints_table_) return;
    print(
        fmt::format("# muster-bench all_reduce: {} ranks on {} nodes, backend {}\n"
                    "# {} ({}), {}, {}\n",
                    plan_.seat.size, plan_.seat.nodes, report.backend, report.library, report.path,
                    report.network, report.device));
    print(table_header());
  }

  void on_note(std::string_view line) override {
    if (prints_table_) print(fmt::format("# {}\n", line));
  }

  void on_row(const Row&, const Row& world) override {
    rows_.push_back(world);
    if (prints_table_) print(table_row(world));
  }

  void finish(const RankReport& report) {
    if (prints_table_ && !report.error) print(table_footer(rows_));
    if (plan_.options.json && !plan_.options.report_fd && plan_.seat.rank == 0) {
      print(print_report(report) + "\n");
    }
  }

  bool saw_wrong_data() const {
    for (const Row& row : rows_) {
      if (row.out_of_place.wrong.value_or(0) + row.in_place.wrong.value_or(0) != 0) return true;
    }
    return false;
  }

 private:
  static void print(const std::string& text) {
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
  }

  const RunPlan& plan_;
  bool prints_table_;
  std::string backend_;
  std::vector<Row> rows_;
};

ExitCode deliver(const BenchOptions& options, const RankReport& report, ExitCode code) {
  if (!options.report_fd) return code;
  const Status written = write_all(*options.report_fd, print_report(report) + "\n");
  if (written) return code;
  fmt::print(stderr, "muster-bench: {}\n", written.error().message());
  return code == ExitCode::kOk ? ExitCode::kFailed : code;
}

}  // namespace

ExitCode run_program(const RunPlan& plan, Exchange& exchange, TimePoint deadline) {
  Printer printer(plan);
  // Libraries print to stdout (NCCL_DEBUG); with a report it belongs to nobody.
  if (plan.options.report_fd) ::dup2(STDERR_FILENO, STDOUT_FILENO);
  printer.on_phase(Phase::kLoad);
  if (const Status armed = arm_watchdog(deadline + kWatchdogGrace); !armed) {
    return tell_failure(plan.options, plan.seat, armed.error(), Phase::kLoad);
  }
  const RankReport report = run_bench(plan, exchange, printer, deadline);
  printer.finish(report);
  ExitCode code = printer.saw_wrong_data() ? ExitCode::kWrongData : ExitCode::kOk;
  if (report.error) {
    fmt::print(stderr, "{}", error_line(plan.seat, *report.error));
    if (code == ExitCode::kOk) code = exit_code_of(report.error->code);
  }
  code = deliver(plan.options, report, code);
  disarm_watchdog();
  return code;
}

void end_program(ExitCode code) {
  std::fflush(nullptr);
  if (code == ExitCode::kOk) std::exit(0);
  std::_Exit(static_cast<int>(code));
}

ExitCode tell_failure(const BenchOptions& options, const Seat& seat, const Error& error,
                      Phase phase) {
  RankReport report = blank_report(seat);
  report.error = ReportError{error.code(), error.message(), phase};
  fmt::print(stderr, "{}", error_line(seat, *report.error));
  return deliver(options, report, exit_code_of(error.code()));
}

}  // namespace muster::bench
