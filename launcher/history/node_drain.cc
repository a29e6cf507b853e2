#include "launcher/history/node_drain.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "launcher/health/child_question.h"
#include "launcher/process/spawn.h"
#include "launcher/verdict/printable.h"

namespace muster::history {

namespace {

// All that the command prints, so that it never waits for a reader; the first bytes are kept.
std::string read_output(const Fd& output) {
  std::string text;
  std::array<char, 4096> block{};
  while (true) {
    const ssize_t size = ::read(output.get(), block.data(), block.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return text;
    const std::size_t room = 2 * kMaxComplaint - std::min(text.size(), 2 * kMaxComplaint);
    text.append(block.data(), std::min(static_cast<std::size_t>(size), room));
  }
}

// In the child of a question, whose deadline bounds it; the command dies with it.
process::ExitStatus wait_for_exit(const process::Child& child) {
  pollfd ended{child.pidfd.get(), POLLIN, 0};
  while (true) {
    ::poll(&ended, 1, -1);
    if (const auto status = process::reap(child.pidfd)) return *status;
  }
}

// "" when the command ended with 0, else why it did not.
std::string run_command(const std::vector<std::string>& argv, const Environment& environment,
                        const process::OriginalLimits& original) {
  const auto program = process::resolve_program(argv.front(), environment.get_or("PATH", ""));
  if (!program) return program.error().message();
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return system_error("make a pipe", errno).message();
  const Fd output(ends[0]);
  Fd output_write(ends[1]);
  process::SpawnPlan plan;
  plan.program = *program;
  plan.argv = argv;
  plan.envp = environment.to_strings();
  plan.fds = {{1, output_write.get()}, {2, output_write.get()}};
  plan.original = original;
  const Result<process::Child> child = process::spawn(plan);
  if (!child) return child.error().message();
  output_write.reset();
  const std::string printed = read_output(output);
  const process::ExitStatus status = wait_for_exit(*child);
  if (const auto unstarted = process::read_exec_report(*child, plan)) return unstarted->text;
  if (status.success()) return "";
  return to_string(status) + (printed.empty() ? "" : ": " + printed);
}

}  // namespace

std::vector<std::string> run_node_commands(const std::vector<slurm::NodeCommand>& commands,
                                           const Environment& environment,
                                           const process::OriginalLimits& original,
                                           Duration limit) {
  std::vector<std::string> lines;
  for (const slurm::NodeCommand& command : commands) {
    const Result<std::string> problem = health::ChildQuestion::ask_and_wait(
        "muster-drain",
        [&command, &environment, &original]() {
          return run_command(command.argv, environment, original);
        },
        limit);
    const std::string why = problem ? *problem : problem.error().message();
    lines.push_back("drain: " + command.text + ": " +
                    (why.empty() ? "done" : verdict::printable_line(why, kMaxComplaint)));
  }
  return lines;
}

}  // namespace muster::history
