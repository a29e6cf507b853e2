#include "collectives-bench/program.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "collectives-bench/progress.h"
#include "collectives-bench/results.h"
#include "collectives-bench/table.h"
#include "collectives-bench/watchdog.h"

namespace muster::bench {

namespace {

constexpr std::size_t kRecentRows = 8;
constexpr std::size_t kUsualColumns = 80;
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

// One that draws: a file, a pipe and a dumb terminal get nothing.
bool is_live_terminal(const Environment& environment) {
  return ::isatty(STDERR_FILENO) == 1 && environment.get_or("TERM", "") != "dumb";
}

std::size_t terminal_columns() {
  winsize size{};
  const bool known = ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 1;
  return known ? size.ws_col - 1u : kUsualColumns - 1;  // the last column makes some wrap
}

class Printer : public RunObserver {
 public:
  explicit Printer(const RunPlan& plan)
      : plan_(plan),
        tells_(plan.seat.rank == 0 && !plan.options.report_fd),
        prints_table_(tells_ && plan.options.json_file != "-" && plan.options.csv_file != "-"),
        shows_progress_(tells_ && is_live_terminal(plan.environment)),
        rows_stay_(prints_table_ && ::isatty(STDOUT_FILENO) == 1),
        view_(terminal_columns()) {
    style_ = {.operation = plan.options.operation,
              .root = plan.options.root,
              .statistics = plan.options.times_each,
              .nics = !plan.options.nic.empty()};
  }

  void on_phase(Phase phase) override {
    RankReport report = blank_report(plan_.seat);
    report.operation = plan_.options.operation;
    report.backend = backend_;
    report.error = ReportError{ErrorCode::kTimeout, "a library call did not come back", phase};
    on_failure(report);
  }

  void on_failure(const RankReport& report) override {
    // The watchdog cannot take the progress away: its line begins below.
    prepare_last_words((shows_progress_ ? "\n" : "") + error_line(plan_.seat, *report.error),
                       plan_.options.report_fd.value_or(-1), print_report(report) + "\n");
  }

  void on_open(const RankReport& report, std::span<const Member> members,
               const Sweep& sweep) override {
    backend_ = report.backend;
    results_.members.assign(members.begin(), members.end());
    results_.groups = sweep.groups;
    steps_ = steps_of(sweep);
    nics_ = sweep.nics;
    opened_ = Clock::now();
    head_ = is_split() ? split_table_header(style_) : table_header(style_);
    if (!prints_table_) return;
    print(fmt::format("# muster-bench {}, backend {}, {} ({})\n",
                      to_string(plan_.options.operation), report.backend, report.library,
                      report.path));
    print(world_text(members));
    if (is_split()) {
      print(fmt::format("# split by {}: {} groups at once\n", to_string(plan_.options.split),
                        sweep.groups.size()));
    }
    print(explanation(sweep) + head_);
  }

  void on_note(std::string_view line) override {
    if (prints_table_) print(fmt::format("# {}\n", line));
  }

  void on_step(std::size_t place) override {
    if (!shows_progress_) return;
    const double seconds = std::chrono::duration<double>(Clock::now() - opened_).count();
    std::vector<std::string> lines;
    if (!rows_stay_) {
      lines = lines_of(head_);
      const std::size_t first = recent_.size() > kRecentRows ? recent_.size() - kRecentRows : 0;
      for (std::size_t i = first; i < recent_.size(); ++i) lines.push_back(recent_[i]);
    }
    if (!half_row_.empty()) lines.push_back(half_row_);
    lines.push_back(progress_line(steps_, nics_, place, seconds));
    std::fputs(view_.draw(lines).c_str(), stderr);
    std::fflush(stderr);
  }

  void on_half_row(const Row& row) override {
    if (!is_split()) half_row_ = lines_of(table_half_row(row, style_)).front();
  }

  void on_row(const Row&, std::span<const Row> groups) override {
    clear_progress();
    half_row_.clear();
    results_.sizes.emplace_back(groups.begin(), groups.end());
    if (!tells_) return;
    const std::string row = is_split() ? split_table_row(results_.groups, groups, style_)
                                       : table_row(groups.front(), style_);
    if (prints_table_) print(row);
    if (shows_progress_ && !rows_stay_) recent_.push_back(lines_of(row).front());
  }

  // The last lines, and the files. The first error of those is what it gives.
  Status finish(const RankReport& report, std::FILE* json, std::FILE* csv) {
    clear_progress();
    if (prints_table_ && !report.error) print(table_footer(all_rows()));
    note(report);
    MUSTER_RETURN_IF_ERROR(write_document(json, print_json(results_) + "\n"));
    return write_document(csv, print_csv(results_));
  }

  bool saw_wrong_data() const {
    for (const Row& row : all_rows()) {
      if (row.out_of_place.wrong.value_or(0) + row.in_place.wrong.value_or(0) != 0) return true;
    }
    return false;
  }

 private:
  bool is_split() const { return plan_.options.split != Split::kNone; }

  std::vector<Row> all_rows() const {
    std::vector<Row> rows;
    for (const auto& size : results_.sizes) rows.insert(rows.end(), size.begin(), size.end());
    return rows;
  }

  void note(const RankReport& report) {
    results_.operation = plan_.options.operation;
    results_.root = plan_.options.root;
    results_.split = plan_.options.split;
    results_.iterations = plan_.options.iterations;
    results_.warmup = plan_.options.warmup;
    results_.checks = plan_.options.checks;
    results_.backend = report.backend;
    results_.library = report.library;
    results_.path = report.path;
    if (report.backend == "fabric") {
      results_.transport = plan_.options.transport == Transport::kRma ? "rma" : "tagged";
    }
    results_.timings = report.timings;
    results_.error = report.error;
    for (const char* name : kToldVariables) {
      if (const auto value = plan_.environment.get(name)) {
        results_.variables.emplace_back(name, *value);
      }
    }
  }

  void clear_progress() {
    std::fputs(view_.erase().c_str(), stderr);
    std::fflush(stderr);
  }

  // What the columns do not say of themselves.
  std::string explanation(const Sweep& sweep) const {
    std::string text;
    if (sweep.operation == Operation::kPingPong) {
      text += "# pingpong: rank r with rank r + n/2; time is half of the way there and back\n";
      for (const Group& group : sweep.groups) {
        if (takes_part(sweep.operation, group.ranks.size() - 1, group.ranks.size())) continue;
        text += fmt::format("# pingpong: rank {} has no partner and waits\n", group.ranks.back());
      }
    }
    if (plan_.options.transport == Transport::kRma) {
      text += "# transport rma: writes into the peer's memory\n";
    }
    return text;
  }

  static std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    for (std::size_t begin = 0; begin < text.size();) {
      const std::size_t end = std::min(text.find('\n', begin), text.size());
      lines.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
    return lines;
  }

  static Status write_document(std::FILE* file, const std::string& text) {
    if (file == nullptr) return {};
    const bool written = std::fwrite(text.data(), 1, text.size(), file) == text.size();
    if (written && std::fflush(file) == 0) return {};
    return failure(system_error("write the result's file", errno));
  }

  static void print(const std::string& text) {
    std::fputs(text.c_str(), stdout);
    std::fflush(stdout);
  }

  const RunPlan& plan_;
  bool tells_;
  bool prints_table_;
  bool shows_progress_;
  bool rows_stay_;  // what is printed stands above the progress already
  TableStyle style_;
  std::string backend_;
  std::vector<Step> steps_;
  std::vector<std::string> nics_;
  LiveView view_;
  std::string head_;
  std::vector<std::string> recent_;  // rows that only the progress shows
  std::string half_row_;             // of the row under way; "" for none
  TimePoint opened_ = Clock::now();
  Results results_;
};

using FileOwner = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

// Rank 0's file of results: none for "", stdout for "-". Opened before anything is measured.
Result<FileOwner> open_result(const RunPlan& plan, const std::string& name, const char* option) {
  FileOwner file(nullptr, [](std::FILE* held) { return held == stdout ? 0 : std::fclose(held); });
  if (name.empty() || plan.seat.rank != 0 || plan.options.report_fd) return file;
  file.reset(name == "-" ? stdout : std::fopen(name.c_str(), "we"));
  if (file) return file;
  return failure(ErrorCode::kInvalidArgument,
                 fmt::format("{} {}: {}", option, name, std::strerror(errno)));
}

ExitCode deliver(const BenchOptions& options, const RankReport& report, ExitCode code) {
  if (!options.report_fd) return code;
  const Status written = write_all(*options.report_fd, print_report(report) + "\n");
  if (written) return code;
  fmt::print(stderr, "muster-bench: {}\n", written.error().message());
  return code == ExitCode::kOk ? ExitCode::kFailed : code;
}

}  // namespace

ExitCode run_program(const RunPlan& asked, Exchange& exchange, TimePoint deadline) {
  RunPlan plan = asked;
  Printer printer(plan);
  // Libraries print to stdout (NCCL_DEBUG); with a report it belongs to nobody.
  if (plan.options.report_fd) ::dup2(STDERR_FILENO, STDOUT_FILENO);
  printer.on_phase(Phase::kLoad);
  if (const Status armed = arm_watchdog(deadline + kWatchdogGrace); !armed) {
    return tell_failure(plan.options, plan.seat, armed.error(), Phase::kLoad);
  }
  auto json = open_result(plan, plan.options.json_file, "--json");
  auto csv = open_result(plan, plan.options.csv_file, "--csv");
  if (!json) plan.ready = failure(json.error());
  if (!csv) plan.ready = failure(csv.error());
  const RankReport report = run_bench(plan, exchange, printer, deadline);
  const Status told =
      printer.finish(report, json ? json->get() : nullptr, csv ? csv->get() : nullptr);
  ExitCode code = printer.saw_wrong_data() ? ExitCode::kWrongData : ExitCode::kOk;
  if (report.error) {
    fmt::print(stderr, "{}", error_line(plan.seat, *report.error));
    if (code == ExitCode::kOk) code = exit_code_of(report.error->code);
  } else if (!told) {
    fmt::print(stderr, "muster-bench: {}\n", told.error().message());
    if (code == ExitCode::kOk) code = ExitCode::kFailed;
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
