// muster-bench: measures collectives. As check gang under muster's agent, alone under srun, or
// alone on a machine. With -g N this process is the parent of N, a rank each.
#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "collectives-bench/group_exchange.h"
#include "collectives-bench/joining.h"
#include "collectives-bench/program.h"
#include "collectives-bench/slot_parent.h"
#include "rendezvous/authentication.h"
#include "rendezvous/base/fd.h"
#include "rendezvous/random.h"

namespace {

using namespace muster;
using namespace muster::bench;

constexpr Duration kLeaveTimeout = std::chrono::seconds(2);
// A rank ends by itself at its deadline, or its watchdog a second later.
constexpr Duration kSlotGrace = std::chrono::seconds(3);
constexpr std::size_t kKeyBytes = 32;

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
Result<std::optional<rendezvous::JoinOptions>> find_peers(const Environment& environment,
                                                          const Slot& slot) {
  auto gang = rendezvous::join_options_from(environment);
  if (gang) return std::optional(std::move(*gang));
  if (gang.error().code() != ErrorCode::kNotFound) return failure(gang.error());
  if (!slurm::is_slurm_job(environment)) {
    MUSTER_RETURN_IF_ERROR(check_started_alone(environment));
    return std::optional<rendezvous::JoinOptions>();
  }
  MUSTER_TRY(step, slurm::parse_step(environment));
  rendezvous::JoinOptions options = join_options_of(step, slot);
  const auto facts = rendezvous::find_authentication_facts(environment);
  MUSTER_TRY(authentication, rendezvous::choose_authentication(environment, facts));
  options.authentication = std::move(authentication);
  return std::optional(std::move(options));
}

ExitCode run_in_group(RunPlan plan, rendezvous::JoinOptions join, const Slot& slot) {
  const auto seat = seat_of(join);
  if (!seat) return tell_failure(plan.options, plan.seat, seat.error(), Phase::kJoin);
  plan.seat = *seat;
  plan.seat.slot = slot.index;
  plan.seat.slots = slot.count;
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

// Where the ranks of this task belong. In a step every child finds its peers as a task does, proof
// included, and knows its place by its slot; alone they are a group that this process prepares.
Result<SlotPlan> plan_slots(const RunPlan& plan, const std::vector<std::string>& arguments) {
  const std::uint32_t count = plan.options.gpus;
  if (plan.environment.has("MUSTER_GROUP_ID")) {
    return failure(ErrorCode::kInvalidArgument,
                   "-g " + std::to_string(count) +
                       ": the parent of this gang starts a process a rank: write -g 1");
  }
  SlotPlan slots{plan.program, arguments, {}, {}, {}};
  slots.deadline = Clock::now() + plan.options.deadline + kSlotGrace;
  const std::uint64_t id = rendezvous::random_u64();
  const std::string key = rendezvous::random_bytes(kKeyBytes);
  for (std::uint32_t index = 0; index < count; ++index) {
    const Slot slot{index, count};
    MUSTER_TRY(found, find_peers(plan.environment, slot));
    rendezvous::JoinOptions join =
        found ? std::move(*found) : join_options_alone(plan.seat.host, slot, id, key);
    MUSTER_TRY(seat, seat_of(join));
    slots.labels.push_back("rank " + std::to_string(seat.rank) + " (" + seat.host + ")");
    slots.environments.push_back(plan.environment);
    if (found) continue;
    join.deadline = plan.options.deadline;
    const Environment group = rendezvous::group_environment(join);
    for (const auto& [name, value] : group.variables()) slots.environments.back().set(name, value);
  }
  return slots;
}

int run_as_parent(const RunPlan& plan, const std::vector<std::string>& arguments) {
  const auto slots = plan_slots(plan, arguments);
  if (!slots)
    return static_cast<int>(tell_failure(plan.options, plan.seat, slots.error(), Phase::kJoin));
  const auto code = run_slots(*slots);
  if (code) return *code;
  std::fprintf(stderr, "muster-bench: %s\n", code.error().message().c_str());
  return static_cast<int>(ExitCode::kFailed);
}

ExitCode run_rank(RunPlan plan, const Slot& slot) {
  auto peers = find_peers(plan.environment, slot);
  if (!peers) return tell_failure(plan.options, plan.seat, peers.error(), Phase::kJoin);
  if (!*peers) return run_alone(std::move(plan));
  return run_in_group(std::move(plan), std::move(**peers), slot);
}

int run_main(const std::vector<std::string>& arguments) {
  RunPlan plan;
  plan.environment = Environment::from_block(environ);
  const auto order = find_slot_order(plan.environment);
  const Status bound = !order   ? failure(order.error())
                       : *order ? end_with_parent(**order)
                                : Status();
  auto command = parse_options(arguments);
  if (!command || !bound) {
    const Error& error = command ? bound.error() : command.error();
    std::fprintf(stderr, "muster-bench: %s\n", error.message().c_str());
    return static_cast<int>(exit_code_of(error.code()));
  }
  if (command->text_to_print) {
    std::fputs(command->text_to_print->c_str(), stdout);
    return static_cast<int>(ExitCode::kOk);
  }
  plan.options = command->options;
  plan.notes = command->notes;
  plan.seat.host = own_host();
  plan.program = own_file();
  if (*order) return static_cast<int>(run_rank(std::move(plan), (*order)->slot));
  if (plan.options.gpus > 1) return run_as_parent(plan, arguments);
  return static_cast<int>(run_rank(std::move(plan), {}));
}

}  // namespace

int main(int argc, char** argv) {
  open_standard_descriptors();
  try {
    end_program(static_cast<ExitCode>(run_main({argv + 1, argv + argc})));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "muster-bench: %s\n", error.what());
  } catch (...) {
    std::fprintf(stderr, "muster-bench: unknown error\n");
  }
  return static_cast<int>(ExitCode::kFailed);
}
