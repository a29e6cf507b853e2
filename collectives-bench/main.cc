// muster-bench: measures collectives. As check gang under muster's agent, alone under srun, or as a
// world of one.
#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "collectives-bench/group_exchange.h"
#include "collectives-bench/joining.h"
#include "collectives-bench/program.h"
#include "rendezvous/authentication.h"
#include "rendezvous/base/fd.h"

namespace {

using namespace muster;
using namespace muster::bench;

constexpr Duration kLeaveTimeout = std::chrono::seconds(2);

std::string own_file() {
  char path[PATH_MAX];
  const auto size = ::readlink("/proc/self/exe", path, sizeof path);
  return size > 0 ? std::string(path, static_cast<std::size_t>(size)) : "muster-bench";
}

std::string own_host() {
  char name[HOST_NAME_MAX + 1] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "localhost";
}

// A gang's variables first: the gang runs inside a Slurm step and must not take that for its own.
// Empty: a world of one.
Result<std::optional<rendezvous::JoinOptions>> find_peers(const Environment& environment) {
  auto gang = rendezvous::join_options_from(environment);
  if (gang) return std::optional(std::move(*gang));
  if (gang.error().code() != ErrorCode::kNotFound) return failure(gang.error());
  if (!slurm::is_slurm_job(environment)) return std::optional<rendezvous::JoinOptions>();
  MUSTER_TRY(step, slurm::parse_step(environment));
  rendezvous::JoinOptions options = join_options_of(step);
  const auto facts = rendezvous::find_authentication_facts(environment);
  MUSTER_TRY(authentication, rendezvous::choose_authentication(environment, facts));
  options.authentication = std::move(authentication);
  return std::optional(std::move(options));
}

ExitCode run_in_group(RunPlan plan, rendezvous::JoinOptions join) {
  const auto seat = seat_of(join);
  if (!seat) return tell_failure(plan.options, plan.seat, seat.error(), Phase::kJoin);
  plan.seat = *seat;
  const TimePoint began = Clock::now();
  const TimePoint deadline = began + plan.options.deadline;
  join.deadline = std::min(join.deadline, plan.options.deadline);
  auto group = rendezvous::Group::join(join);
  if (!group) return tell_failure(plan.options, plan.seat, group.error(), Phase::kJoin);
  plan.join_seconds = std::chrono::duration<double>(Clock::now() - began).count();
  plan.seat.rank = value_of(group->index());
  plan.seat.address = address_of(group->roster(), plan.seat.rank);
  GroupExchange exchange(*group);
  const ExitCode code = run_program(plan, exchange, deadline);
  // The result is out; a coordinator that has gone does not change it.
  if (code == ExitCode::kOk || code == ExitCode::kWrongData) (void)group->leave(kLeaveTimeout);
  return code;
}

ExitCode run_alone(RunPlan plan) {
  SoloExchange exchange;
  return run_program(plan, exchange, Clock::now() + plan.options.deadline);
}

ExitCode run_main(const std::vector<std::string>& arguments) {
  auto command = parse_options(arguments);
  if (!command) {
    std::fprintf(stderr, "muster-bench: %s\n", command.error().message().c_str());
    return ExitCode::kUsage;
  }
  if (command->text_to_print) {
    std::fputs(command->text_to_print->c_str(), stdout);
    return ExitCode::kOk;
  }
  RunPlan plan;
  plan.options = command->options;
  plan.notes = command->notes;
  plan.seat.host = own_host();
  plan.environment = Environment::from_block(environ);
  plan.program = own_file();
  auto peers = find_peers(plan.environment);
  if (!peers) return tell_failure(plan.options, plan.seat, peers.error(), Phase::kJoin);
  if (!*peers) return run_alone(std::move(plan));
  return run_in_group(std::move(plan), std::move(**peers));
}

}  // namespace

int main(int argc, char** argv) {
  open_standard_descriptors();
  try {
    end_program(run_main({argv + 1, argv + argc}));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "muster-bench: %s\n", error.what());
  } catch (...) {
    std::fprintf(stderr, "muster-bench: unknown error\n");
  }
  return static_cast<int>(ExitCode::kFailed);
}
