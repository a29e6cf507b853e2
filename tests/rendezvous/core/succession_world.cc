// Processes and faults of a succession world.
#include "tests/rendezvous/core/succession_world.h"

#include <algorithm>

#include "rendezvous/generation.h"
#include "tests/rendezvous/core/fake_digests.h"

namespace muster::rendezvous {

namespace {

constexpr Duration kAssemblyDeadline{120000};
constexpr Duration kMemberDeadline{122000};
constexpr Duration kEndOfTheWorld{300000};
constexpr const char* kKey = "sixteen bytes or";

}  // namespace

SuccessionWorld::SuccessionWorld(const WorldOptions& options)
    : options_(options), random_(options.seed) {
  add_processes();
  for (std::size_t i = 0; i < options_.faults; ++i) plan_faults();
}

void SuccessionWorld::add_processes() {
  MemberEngineOptions member;
  member.incarnation = {4242, 0, 0, ""};
  member.method = AuthenticationMethod::kKey;
  member.key = kKey;
  member.deadline = kMemberDeadline;
  member.successors.clear();
  for (std::uint32_t node = 0; node < std::min(options_.nodes, kMaxSuccessors); ++node)
    member.successors.push_back(NodeIndex{node});
  for (std::uint32_t node = 0; node < options_.nodes; ++node) {
    for (std::uint32_t task = 0; task < options_.tasks_per_node; ++task) {
      const std::string host = "node" + std::to_string(node);
      expected_.push_back({NodeIndex{node}, LocalTask{task}, host});
      Process process;
      process.name = host + "." + std::to_string(task);
      process.options = member;
      process.options.self = {NodeIndex{node}, LocalTask{task}, host, 100 + node * 16 + task, ""};
      process.options.session = bytes(kSessionSize);
      if (task == 0 && node < kMaxSuccessors) process.options.place = node;
      processes_.push_back(std::move(process));
    }
  }
  for (std::size_t i = 0; i < processes_.size(); ++i) {
    const auto spread = static_cast<std::uint64_t>(options_.start_spread.count()) + 1;
    at(now_ + Duration(random_() % spread), [this, i] { start(i); });
  }
}

void SuccessionWorld::plan_faults() {
  const auto some_time = [this] { return now_ + Duration(random_() % 12000); };
  const auto someone = [this] { return random_() % processes_.size(); };
  // The first nodes have the role: faults there are the interesting ones.
  const auto some_node = [this] {
    const std::uint32_t most = random_() % 3 == 0 ? options_.nodes : std::min(options_.nodes, 3U);
    return NodeIndex{static_cast<std::uint32_t>(random_() % most)};
  };
  switch (random_() % 6) {
    case 0:
      at(some_time(), [this, victim = someone()] { crash(victim); });
      break;
    case 1:
      at(some_time(),
         [this, node = some_node()] { crash(value_of(node) * options_.tasks_per_node); });
      break;
    case 2:
      at(some_time(), [this, node = some_node()] { cut(node); });
      break;
    case 3: {
      const NodeIndex node = some_node();
      const TimePoint when = some_time();
      at(when, [this, node] { cut(node); });
      at(when + Duration(random_() % 15000), [this, node] { heal(node); });
      break;
    }
    case 4:
      at(some_time(), [this, sleeper = someone()] {
        processes_[sleeper].awake = now_ + Duration(random_() % 20000);
      });
      break;
    case 5:
      at(some_time(), [this] {
        if (wires_.empty()) return;
        auto wire = wires_.begin();
        std::advance(wire, random_() % wires_.size());
        if (wire->second.same_process) return;
        tell("connection " + std::to_string(value_of(wire->first)) + " breaks");
        close_from_server(wire->first);
        close_from_member(wire->first);
      });
      break;
  }
}

void SuccessionWorld::crash_at(Duration when, std::uint32_t process) {
  at(now_ + when, [this, process] { crash(process); });
}

void SuccessionWorld::cut_at(Duration when, NodeIndex node) {
  at(now_ + when, [this, node] { cut(node); });
}

void SuccessionWorld::crash_coordinator_at_frame(std::size_t frame, bool before) {
  fatal_frame_ = frame;
  fatal_before_ = before;
}

std::vector<std::string> SuccessionWorld::run() {
  while (!events_.empty() && violations_.empty()) {
    const Event event = events_.top();
    events_.pop();
    now_ = event.when;
    if (now_ - TimePoint() > kEndOfTheWorld) break;
    event.happen();
  }
  check_the_end();
  return violations_;
}

Duration SuccessionWorld::ended_after() const {
  return std::chrono::duration_cast<Duration>(last_end_ - TimePoint());
}

void SuccessionWorld::start(std::size_t index) {
  Process& process = processes_[index];
  if (process.crashed) return;
  tell(process.name + " starts");
  process.member = std::make_unique<MemberEngine>(process.options, fake_digests(), now_);
  carry_out(index, process.member->begin());
  arm(index);
}

// SIGKILL: the kernel closes what the process had. On a node that is cut nobody hears of it.
void SuccessionWorld::crash(std::size_t index) {
  Process& process = processes_[index];
  if (process.crashed || process.over) return;
  tell(process.name + " is killed");
  if (!crashed_after_) crashed_after_ = std::chrono::duration_cast<Duration>(now_ - TimePoint());
  process.crashed = process.over = true;
  process.member.reset();
  process.server.reset();
  for (auto& [id, wire] : wires_) {
    if (wire.member == index && wire.member_open) close_from_member(id);
    if (wire.server == index && wire.server_open) close_from_server(id);
  }
}

void SuccessionWorld::cut(NodeIndex node) {
  if (!cut_.insert(node).second) return;
  ever_cut_.insert(node);
  tell("node " + std::to_string(value_of(node)) + " is cut off");
  if (!crashed_after_) crashed_after_ = std::chrono::duration_cast<Duration>(now_ - TimePoint());
  for (auto& [id, wire] : wires_)
    if (!is_reachable(wire.member, wire.server)) stall(id);
}

void SuccessionWorld::heal(NodeIndex node) {
  if (cut_.erase(node) > 0) tell("node " + std::to_string(value_of(node)) + " is back");
}

// Nothing passes any more, and it stays so although the node may be back: TCP's next try comes
// late.
void SuccessionWorld::stall(ConnectionId id) {
  Wire& wire = wires_.at(id);
  if (wire.stalled || (!wire.member_open && !wire.server_open)) return;
  wire.stalled = true;
  at(now_ + Duration(6000 + random_() % 300), [this, id] {
    Wire& there = wires_.at(id);
    if (std::exchange(there.member_open, false))
      step_member(there.member, member_event::Stalled{id, "6 s without acknowledgement"});
  });
  at(now_ + Duration(6000 + random_() % 300), [this, id] {
    Wire& there = wires_.at(id);
    if (std::exchange(there.server_open, false) && server_of(there) != nullptr)
      step_server(there.server, server_event::Stalled{id, "6 s without acknowledgement"});
  });
}

void SuccessionWorld::take_role(std::size_t index, const member_effect::TakeRole& role) {
  Process& process = processes_[index];
  tell(process.name + " takes the role, epoch " + std::to_string(role.epoch));
  if (process.server) return sit_at_own_server(index);  // it has failed; the member hears why
  ++roles_taken_;
  ServerEngineOptions options;
  options.incarnation = process.options.incarnation;
  options.node = process.options.self.node;
  options.epoch = role.epoch;
  options.last_generation = std::max(process.last_generation, none_of_epoch(role.epoch));
  options.lost_node = role.lost_node;
  options.expected = expected_;
  options.method = AuthenticationMethod::kKey;
  options.key = kKey;
  options.assembly_deadline = kAssemblyDeadline;
  options.minimum_nodes = options_.minimum_nodes;
  process.server = std::make_unique<ServerEngine>(options, fake_digests(), now_);
  process.server_number = next_server_++;
  sit_at_own_server(index);
}

void SuccessionWorld::sit_at_own_server(std::size_t index) {
  const ConnectionId id{next_connection_++};
  Wire& wire = wires_[id];
  wire.member = wire.server = index;
  wire.server_number = processes_[index].server_number;
  wire.same_process = true;
  at(now_, [this, index, id] {
    member_event::Connected connected;
    connected.connection = id;
    connected.nonce = bytes(kNonceSize);
    connected.key = bytes(kDigestSize);
    connected.same_process = true;
    connected.place = processes_[index].options.place.value_or(0);
    step_member(index, connected);
  });
  server_event::Accepted accepted;
  accepted.connection = id;
  accepted.nonce = bytes(kNonceSize);
  accepted.same_process = true;
  step_server(index, accepted);
}

void SuccessionWorld::give_role_back(std::size_t index) {
  Process& process = processes_[index];
  if (!process.server) return;
  process.last_generation = process.server->last_generation();
  process.server.reset();
  for (auto& [id, wire] : wires_)
    if (wire.server == index && wire.server_open) close_from_server(id);
}

void SuccessionWorld::note_assembled(std::size_t index, const Roster& roster) {
  tell(processes_[index].name + " assembled generation " +
       std::to_string(value_of(roster.generation)) + " of " +
       std::to_string(roster.members.size()));
  if (assembled_ && assembled_->generation != roster.generation)
    return violate("two rosters are complete");
  assembled_ = roster;
  std::set<NodeIndex> nodes;
  for (const Member& member : roster.members) {
    nodes.insert(member.description.node);
    const auto process = std::find_if(
        processes_.begin(), processes_.end(),
        [&](const Process& one) { return one.options.self.pid == member.description.pid; });
    if (process == processes_.end() || !process->acknowledged.contains(roster.generation))
      violate("a member of the roster has not acknowledged it");
  }
  if (roster.members.size() != nodes.size() * options_.tasks_per_node)
    violate("the roster has a node that is not whole");
  if (nodes.size() * 2 <= options_.nodes) violate("the roster has no majority");
  const std::size_t needed = options_.minimum_nodes == 0 ? options_.nodes : options_.minimum_nodes;
  if (nodes.size() < needed) violate("the roster is smaller than allowed");
}

void SuccessionWorld::note_committed(std::size_t index, const Roster& roster) {
  Process& process = processes_[index];
  tell(process.name + " has the roster");
  if (process.roster) violate(process.name + " commits twice");
  process.roster = roster;
  // Its coordinator may have died between this commit and its own word.
  if (!assembled_) assembled_ = roster;
  if (assembled_->generation != roster.generation) violate("two rosters are complete");
  at(now_ + Duration(500),
     [this, index] { step_member(index, member_event::LeaveMeeting{Duration(2000)}); });
}

void SuccessionWorld::check_the_end() {
  for (const Process& process : processes_)
    if (!process.over) violate(process.name + " is stuck");
}

bool SuccessionWorld::is_reachable(std::size_t from, std::size_t to) const {
  const NodeIndex one = processes_[from].options.self.node;
  const NodeIndex other = processes_[to].options.self.node;
  return one == other || (!cut_.contains(one) && !cut_.contains(other));
}

}  // namespace muster::rendezvous
