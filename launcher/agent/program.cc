#include "launcher/agent/program.h"

#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <numeric>
#include <string_view>
#include <utility>

#include "launcher/agent/exec_program.h"
#include "launcher/agent/health_only.h"
#include "launcher/agent/job_setup.h"
#include "launcher/agent/node_agent.h"
#include "launcher/agent/result_files.h"
#include "launcher/agent/version.h"  // generated
#include "launcher/options/exit_codes.h"
#include "launcher/process/marker.h"
#include "rendezvous/text.h"
#include "slurm/hostnames.h"

namespace muster::launcher {

namespace {

constexpr int kSignalBase = 128;  // and above: cancelled by a signal

bool is_first_task(const Environment& environment) {
  return environment.get_or("SLURM_PROCID", "0") == "0";
}

bool is_first_task_of_node(const Environment& environment) {
  return environment.get_or("SLURM_LOCALID", "0") == "0";
}

bool is_first_agent(const slurm::Step& step) {
  return step.node == NodeIndex{0} && step.local_task == LocalTask{0};
}

std::size_t count_agents(const slurm::Step& step) {
  return std::accumulate(step.tasks_per_node.begin(), step.tasks_per_node.end(), std::size_t{0});
}

// A failure here costs comfort, not correctness: escaped descendants are also found by marker.
void prepare_process() {
  (void)process::become_subreaper();
  (void)process::raise_open_files();
}

// What only this node may have is said by one task of the node.
int refuse_on_node(const Environment& environment, const Error& error, ExitCode code) {
  if (is_first_task_of_node(environment)) {
    const std::string host = environment.get_or("SLURMD_NODENAME", "this node");
    std::fprintf(stderr, "muster: %s: %s\n", host.c_str(), error.message().c_str());
  }
  return to_int(code);
}

// What is most often wrong for all tasks alike. But a variable may be empty, or overwritten, on one
// node alone, where the others would wait for a task that left without a word.
int refuse(const Environment& environment, const Error& error, ExitCode code) {
  if (!is_first_task(environment)) return refuse_on_node(environment, error, code);
  std::fprintf(stderr, "muster: %s\n", error.message().c_str());
  return to_int(code);
}

ExitCode exit_code_of_setup(const Error& error) {
  if (error.code() == ErrorCode::kNotFound) return ExitCode::kInternal;  // a part is not installed
  return error.code() == ErrorCode::kUnavailable || error.code() == ErrorCode::kPermissionDenied
             ? ExitCode::kRefused
             : ExitCode::kUsage;
}

// Rather lost than waited for.
void print_if_taken(const std::string& line) {
  pollfd error_stream{STDERR_FILENO, POLLOUT, 0};
  if (::poll(&error_stream, 1, 0) == 1) std::fprintf(stderr, "%s\n", line.c_str());
}

NodeAgent::End run_agent(asio::io_context& loop, JobSetup setup, process::Guardian& guardian,
                         output::OutputCarrier& carrier) {
  NodeAgent agent(loop, std::move(setup.agent), guardian, carrier);
  const Status started = agent.start();
  if (!started) {
    carrier.print("muster: " + started.error().message());
    carrier.finish([&loop]() { loop.stop(); });
    loop.run();
    NodeAgent::End end;
    end.exit_code = to_int(ExitCode::kInternal);
    return end;
  }
  loop.run();
  return agent.end();
}

void act_on_unfit(const NodeAgent::End& end, const history::AfterJob& after,
                  const Environment& environment, const process::OriginalLimits& original) {
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  for (const std::string& line :
       history::act_on_unfit(end.unfit, after, now, environment, original)) {
    std::fprintf(stderr, "muster: %s\n", line.c_str());
  }
}

// What is left to do once the loop is over; the exit code. With `exec` it does not return.
int end_job(const NodeAgent::End& end, const history::AfterJob& after,
            const options::Options& options, const Environment& environment,
            const process::OriginalLimits& original) {
  Status written;
  if (end.baseline) written = write_baseline(options, *end.baseline);
  if (!written) (void)refuse_on_node(environment, written.error(), ExitCode::kInternal);
  act_on_unfit(end, after, environment, original);
  if (end.exec) return exec_program(end.launch, original);
  // A job that was refused has found nothing.
  if (!end.report.empty() && end.exit_code != to_int(ExitCode::kUsage)) {
    const Status reports = write_reports(options, end.report);
    if (!reports) (void)refuse_on_node(environment, reports.error(), ExitCode::kInternal);
    if (written) written = reports;
  }
  // The verdict is worth more than the file that it did not get into.
  const bool is_check = options.command == options::Command::kCheck;
  const bool lost = is_check && !written && end.exit_code == 0;
  return lost ? to_int(ExitCode::kInternal) : end.exit_code;
}

// `refusal` as set_up_job has it.
int run_agent_of(const slurm::Step& step, const options::Parsed& parsed, const std::string& refusal,
                 const Environment& environment, const process::OriginalLimits& original) {
  const std::string marker = process::make_marker();
  Result<process::Guardian> guardian = process::Guardian::start(marker);
  if (!guardian) return refuse_on_node(environment, guardian.error(), ExitCode::kInternal);
  Result<JobSetup> setup = set_up_job(step, environment, parsed.options, refusal, original, marker);
  if (!setup) {
    guardian->dismiss();
    if (!refusal.empty()) return to_int(ExitCode::kInternal);  // one error is enough
    return refuse_on_node(environment, setup.error(), exit_code_of_setup(setup.error()));
  }
  asio::io_context loop(1);
  output::OutputCarrier* printer = nullptr;  // stderr itself may be what stands still
  auto carrier = output::OutputCarrier::create(
      loop, setup->output, [&printer, host = step.host()](const std::string& line) {
        const std::string text = "muster: " + host + ": " + line;
        if (printer == nullptr || !printer->print(text)) print_if_taken(text);
      });
  if (!carrier) {
    guardian->dismiss();
    return refuse_on_node(environment, carrier.error(), ExitCode::kInternal);
  }
  printer = carrier->get();
  // Of the agents that may become coordinator only the first tells what all of them know.
  if (setup->agent.coordinator && value_of(step.node) == 0) {
    for (const std::string& note : parsed.notes) (*carrier)->print("muster: " + note);
  }
  for (const std::string& note : setup->notes) (*carrier)->print("muster: " + note);
  const history::AfterJob after = setup->after;
  const NodeAgent::End end = run_agent(loop, std::move(*setup), *guardian, **carrier);
  if (end.clean) guardian->dismiss();
  return end_job(end, after, parsed.options, environment, original);
}

int run_job(const options::Parsed& parsed, const Environment& environment,
            const process::OriginalLimits& original) {
  const Result<slurm::Step> step = find_step(environment, parsed.options);
  if (!step) return refuse(environment, step.error(), ExitCode::kUsage);
  return run_agent_of(*step, parsed, "", environment, original);
}

// What such a command does it does alone, whatever else is wrong with it.
bool needs_nobody(const std::vector<std::string>& words) {
  constexpr std::array<std::string_view, 4> kAlone{"hostnames", "--dry-run", "--standalone",
                                                   "--health-only"};
  return std::find_first_of(words.begin(), words.end(), kAlone.begin(), kAlone.end()) !=
         words.end();
}

// Most often all tasks were given the same words, and the user wants one line, at once. But a shell
// or a variable on one node may have made other words of them: so every agent joins to say what it
// was given, and the coordinator tells of those that stand alone.
int refuse_command_line(const std::vector<std::string>& words, const Environment& environment,
                        const Error& error, const process::OriginalLimits& original) {
  options::Parsed nothing{options_of_refused(), {}};
  const Result<slurm::Step> step = find_step(environment, nothing.options);
  if (!step || count_agents(*step) == 1 || needs_nobody(words)) {
    return refuse(environment, error, ExitCode::kUsage);
  }
  const std::string text = rendezvous::clipped(error.message(), kMaxErrorText);
  if (is_first_agent(*step)) std::fprintf(stderr, "muster: %s\n", text.c_str());
  prepare_process();
  const int exit_code = run_agent_of(*step, nothing, text, environment, original);
  const bool was_told = is_first_agent(*step) || exit_code == to_int(ExitCode::kUsage);
  if (was_told || exit_code >= kSignalBase) return to_int(ExitCode::kUsage);
  return refuse_on_node(environment, error, ExitCode::kUsage);
}

int print_or_refuse(const Environment& environment, const Result<std::string>& text) {
  if (!text) return refuse(environment, text.error(), ExitCode::kUsage);
  if (is_first_task(environment)) std::fputs(text->c_str(), stdout);
  return 0;
}

int run_or_plan(const options::Parsed& parsed, const Environment& environment,
                const process::OriginalLimits& original) {
  if (!parsed.options.dry_run) return run_job(parsed, environment, original);
  const Result<slurm::Step> step = find_step(environment, parsed.options);
  if (!step) return refuse(environment, step.error(), ExitCode::kUsage);
  return print_or_refuse(environment, print_dry_run(*step, environment, parsed.options));
}

}  // namespace

int run_program(const std::vector<std::string>& words, const Environment& environment) {
  const process::OriginalLimits original = process::OriginalLimits::capture();
  const Result<options::Parsed> parsed = options::parse_command_line(words, environment);
  if (!parsed) return refuse_command_line(words, environment, parsed.error(), original);
  switch (parsed->options.command) {
    case options::Command::kHelp:
      return print_or_refuse(environment, options::help_text());
    case options::Command::kVersion:
      std::printf("muster %s\n", kVersion);
      return 0;
    case options::Command::kHostnames: {
      std::vector<std::string> lists;
      if (!parsed->options.hosts.empty()) lists.push_back(parsed->options.hosts);
      return print_or_refuse(environment, slurm::print_hostnames(lists, environment));
    }
    case options::Command::kCheck:
      if (parsed->options.health_only) return run_health_only(environment, parsed->options);
      break;
    case options::Command::kRun:
      break;
  }
  prepare_process();
  return run_or_plan(*parsed, environment, original);
}

}  // namespace muster::launcher
