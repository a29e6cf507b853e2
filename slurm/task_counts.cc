#include "slurm/task_counts.h"

#include "slurm/hostlist.h"
#include "slurm/scanner.h"

namespace muster::slurm {

namespace {

// "(x3)" after a count; absent means once.
Result<std::uint64_t> read_repetition(Scanner& scanner) {
  if (!scanner.accept('(')) return 1;
  if (!scanner.accept('x')) return failure(scanner.expected("'x'"));
  const std::size_t begin = scanner.position();
  MUSTER_TRY(times, scanner.number("a number of nodes", kMaxHosts));
  if (times == 0) return failure(scanner.expected_at(begin, "a number of nodes from 1"));
  if (!scanner.accept(')')) return failure(scanner.expected("')'"));
  return times;
}

}  // namespace

Result<std::vector<std::uint32_t>> expand_task_counts(std::string_view text) {
  Scanner scanner("task counts", text);
  std::vector<std::uint32_t> counts;
  do {
    const std::size_t begin = scanner.position();
    MUSTER_TRY(tasks, scanner.number("a number of tasks", kMaxTasksPerNode));
    if (tasks == 0) return failure(scanner.expected_at(begin, "a number of tasks from 1"));
    MUSTER_TRY(times, read_repetition(scanner));
    if (counts.size() + times > kMaxHosts) {
      return failure(
          scanner.beyond_limit(begin, "more than " + std::to_string(kMaxHosts) + " nodes"));
    }
    counts.insert(counts.end(), times, static_cast<std::uint32_t>(tasks));
  } while (scanner.accept(','));
  if (!scanner.at_end()) return failure(scanner.expected("'(x', ',' or the end"));
  return counts;
}

std::string compress_task_counts(std::span<const std::uint32_t> counts) {
  std::string text;
  for (std::size_t begin = 0; begin < counts.size();) {
    std::size_t end = begin;
    while (end < counts.size() && counts[end] == counts[begin]) ++end;
    if (begin > 0) text += ",";
    text += std::to_string(counts[begin]);
    if (end - begin > 1) text += "(x" + std::to_string(end - begin) + ")";
    begin = end;
  }
  return text;
}

}  // namespace muster::slurm
