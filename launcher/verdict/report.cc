#include "launcher/verdict/report.h"

#include <fmt/format.h>

#include <algorithm>
#include <span>
#include <string_view>
#include <vector>

#include "launcher/process/signals.h"
#include "launcher/verdict/printable.h"
#include "launcher/verdict/traceback.h"
#include "rendezvous/base/ids.h"

namespace muster::verdict {
namespace {

constexpr std::string_view kMark = "  | ";

void add_lines(std::string& report, std::span<const std::string> lines) {
  for (const std::string& line : lines) {
    report.append(kMark).append(printable_line(line, kReportedLineBytes - kMark.size()));
    report += '\n';
  }
}

// "muster: last lines of stderr of rank 5 on node2:" and the lines.
void add_section(std::string& report, std::string_view title, const WorkerPlace& place,
                 std::span<const std::string> lines) {
  if (lines.empty()) return;
  const std::string heading =
      fmt::format("muster: {} of rank {} on {}:", title, value_of(place.rank), place.host);
  report.append(printable_line(heading, kReportedLineBytes)).append("\n");
  add_lines(report, lines);
}

std::span<const std::string> last_of(const std::vector<std::string>& lines, std::size_t count) {
  return std::span(lines).last(std::min(lines.size(), count));
}

bool same_end(std::span<const std::string> left, std::span<const std::string> right) {
  const auto a = find_last_traceback(left);
  const auto b = find_last_traceback(right);
  return a && b && a->final_line == b->final_line;
}

std::string worker_place(const WorkerPlace& place) {
  return fmt::format("rank {} ({}, local rank {})", value_of(place.rank), place.host,
                     value_of(place.local_rank));
}

std::string workers(std::size_t count, std::string_view adjective) {
  return fmt::format("{} {}worker{}", count, adjective, count == 1 ? "" : "s");
}

std::string sentence(const FirstCause& cause) {
  switch (cause.kind) {
    case CauseKind::kWorker:
      return worker_place(cause.place) +
             (cause.complaint ? " failed first, blaming a peer: " : " failed first: ") + cause.text;
    case CauseKind::kStartFailure:
      return worker_place(cause.place) + " could not start: " + cause.text;
    case CauseKind::kCancel:
      return fmt::format("cancelled by {} (seen first on {})", cause.text, cause.place.host);
    case CauseKind::kAgentLost:
      return fmt::format("the agent on {} was lost: {}", cause.place.host, cause.text);
    case CauseKind::kNodeLost:
      return fmt::format("{} was lost: {}", cause.place.host, cause.text);
    case CauseKind::kMissingNodes:
      return cause.text;
  }
  return "";
}

}  // namespace

std::string final_line(const FirstCause& cause) {
  const bool of_worker = cause.kind == CauseKind::kWorker || cause.kind == CauseKind::kStartFailure;
  std::string line = "muster: " + sentence(cause);
  if (cause.victims > 0) {
    line += fmt::format("; {} ended with it", workers(cause.victims, of_worker ? "other " : ""));
  }
  return printable_line(line, kReportedLineBytes);
}

std::string final_report(const FirstCause& cause) {
  std::string report;
  const auto tail = last_of(cause.stderr_tail, kReportedStderrLines);
  add_section(report, "last lines of stderr", cause.place, tail);
  const std::vector<std::string> call_stack = split_lines(cause.call_stack);
  if (!same_end(tail, call_stack)) {
    add_section(report, "error file", cause.place, last_of(call_stack, kReportedCallStackLines));
  }
  return report + final_line(cause) + "\n";
}

std::string cancel_notice(const Cancel& cancel, std::size_t worker_count,
                          std::chrono::milliseconds grace) {
  return fmt::format("muster: {} on {}: stopping {}, SIGKILL after {} s",
                     process::signal_name(cancel.signal_number), cancel.host,
                     workers(worker_count, ""), static_cast<double>(grace.count()) / 1000);
}

}  // namespace muster::verdict
