#include "collectives-bench/joining.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <set>

#include "rendezvous/ports.h"

namespace muster::bench {

namespace {

constexpr const char* kScope = "bench";  // apart from the meeting of muster's agents

bool is_loopback(const std::string& address) {
  return address == "::1" || address.starts_with("127.");
}

}  // namespace

std::vector<rendezvous::ExpectedMember> members_of(const slurm::Step& step, std::uint32_t slots) {
  std::vector<rendezvous::ExpectedMember> members;
  for (std::uint32_t node = 0; node < step.hosts.size(); ++node) {
    for (std::uint32_t task = 0; task < step.tasks_per_node[node] * slots; ++task) {
      members.push_back({NodeIndex{node}, LocalTask{task}, step.hosts[node]});
    }
  }
  return members;
}

rendezvous::JoinOptions join_options_of(const slurm::Step& step, const Slot& slot) {
  rendezvous::JoinOptions options;
  options.incarnation = {step.job, step.step, step.restart_count, kScope};
  options.self.node = step.node;
  options.self.task = LocalTask{value_of(step.local_task) * slot.count + slot.index};
  options.self.host = step.hosts[value_of(step.node)];
  options.self.pid = static_cast<std::uint32_t>(::getpid());
  options.expected = members_of(step, slot.count);
  options.coordinator_hosts = {step.hosts.front()};
  options.ports = rendezvous::candidate_ports(options.incarnation, step.reserved_ports);
  options.host_server = value_of(step.node) == 0 && value_of(options.self.task) == 0;
  return options;
}

rendezvous::JoinOptions join_options_alone(const std::string& host, const Slot& slot,
                                           std::uint64_t id, const std::string& key) {
  rendezvous::JoinOptions options;
  options.incarnation = {id, 0, 0, kScope};
  for (std::uint32_t index = 0; index < slot.count; ++index) {
    options.expected.push_back({NodeIndex{0}, LocalTask{index}, host});
  }
  options.self.task = LocalTask{slot.index};
  options.self.host = host;
  options.coordinator_hosts = {"127.0.0.1"};
  options.ports = rendezvous::candidate_ports(options.incarnation, {});
  options.host_server = slot.index == 0;
  options.authentication.method = rendezvous::AuthenticationMethod::kKey;
  options.authentication.key = key;
  return options;
}

Status check_started_alone(const Environment& environment) {
  // Open MPI, then MPICH and its kin.
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"}) {
    const std::string processes = environment.get_or(name, "1");
    if (processes == "1") continue;
    return failure(
        ErrorCode::kInvalidArgument,
        fmt::format("{}={}: muster-bench does not meet by MPI, each process would measure "
                    "alone; start it once with -g {}, or with srun",
                    name, processes, processes));
  }
  return {};
}

Result<Seat> seat_of(const rendezvous::JoinOptions& options) {
  Seat seat;
  bool found = false;
  std::set<NodeIndex> nodes;
  seat.local_size = 0;
  for (std::size_t rank = 0; rank < options.expected.size(); ++rank) {
    const rendezvous::ExpectedMember& member = options.expected[rank];
    nodes.insert(member.node);
    if (member.node != options.self.node) continue;
    if (member.task == options.self.task) {
      found = true;
      seat.rank = static_cast<std::uint32_t>(rank);
      seat.local_rank = seat.local_size;
    }
    ++seat.local_size;
  }
  if (!found) {
    return failure(ErrorCode::kInvalidArgument,
                   fmt::format("task {} of node {} ({}) is not among the {} expected members",
                               value_of(options.self.task), value_of(options.self.node),
                               options.self.host, options.expected.size()));
  }
  seat.size = static_cast<std::uint32_t>(options.expected.size());
  seat.node = value_of(options.self.node);
  seat.nodes = static_cast<std::uint32_t>(nodes.size());
  seat.host = options.self.host;
  return seat;
}

std::string address_of(const rendezvous::Roster& roster, std::size_t own) {
  if (own >= roster.members.size()) return "";
  const rendezvous::Member& member = roster.members[own];
  if (!member.address.empty() && !is_loopback(member.address)) return member.address;
  // A member on the coordinator's node came over loopback: what the others dial leads here too.
  const bool beside_coordinator = member.description.node == roster.members[0].description.node;
  if (!beside_coordinator || is_loopback(roster.coordinator_address)) return "";
  return roster.coordinator_address;
}

}  // namespace muster::bench
