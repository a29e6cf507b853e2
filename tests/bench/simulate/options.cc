#include "tests/bench/simulate/options.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <map>

namespace muster::simulate {

namespace {

constexpr std::uint32_t kMaxAgents = 16384;
constexpr std::uint32_t kMaxProcesses = 64;

void add_options(CLI::App& app, Options& options, std::int64_t& delay_ms, std::int64_t& late_by_ms,
                 std::int64_t& deadline_ms) {
  using rendezvous::AuthenticationMethod;
  const std::map<std::string, AuthenticationMethod> methods{
      {"none", AuthenticationMethod::kNone},
      {"key", AuthenticationMethod::kKey},
      {"munge", AuthenticationMethod::kMunge}};
  app.add_option("agents", options.agents, "how many agents meet (1-16384)")
      ->check(CLI::Range(1U, kMaxAgents));
  app.add_option("--processes", options.processes, "processes that share the agents")
      ->check(CLI::Range(1U, kMaxProcesses));
  app.add_option("--auth", options.method, "none, key or munge")
      ->transform(CLI::CheckedTransformer(methods));
  app.add_option("--munge-socket", options.munge_socket, "munged's socket");
  app.add_option("--delay", delay_ms, "agents start at random within so many ms")
      ->check(CLI::NonNegativeNumber);
  app.add_option("--late", options.late, "so many agents start late");
  app.add_option("--late-by", late_by_ms, "how late, in ms")->check(CLI::NonNegativeNumber);
  app.add_option("--drop", options.drop, "so many agents die while they join, and come again");
  app.add_option("--rounds", options.rounds, "rounds of each collective");
  app.add_option("--bytes", options.bytes, "bytes of each contribution");
  app.add_option("--facts", options.facts, "bytes that each agent says of itself");
  app.add_option("--skip-gather-over", options.skip_gather_over,
                 "no all-gather with more agents: its answers grow with the square");
  app.add_flag("--roster", options.wants_roster, "every agent takes the list of all members");
  app.add_option("--seed", options.seed, "of the delays");
  app.add_option("--deadline", deadline_ms, "of the assembly and of each collective, in ms");
  app.add_option("--json", options.json_file, "write the report to this file too");
}

}  // namespace

Result<Options> parse_options(int argc, const char* const* argv, bool& help) {
  Options options;
  std::int64_t delay_ms = 0;
  std::int64_t late_by_ms = options.late_by.count();
  std::int64_t deadline_ms = options.deadline.count();
  CLI::App app("N agents of one machine meet over loopback; how long each step takes them");
  add_options(app, options, delay_ms, late_by_ms, deadline_ms);
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    std::fputs(app.help("muster-simulate").c_str(), stdout);
    help = true;
  } catch (const CLI::Error& error) {
    return failure(ErrorCode::kInvalidArgument, error.what());
  }
  options.delay = Duration(delay_ms);
  options.late_by = Duration(late_by_ms);
  options.deadline = Duration(deadline_ms);
  if (options.late + options.drop > options.agents)
    return failure(ErrorCode::kInvalidArgument,
                   "--late and --drop name more agents than there are");
  return options;
}

}  // namespace muster::simulate
