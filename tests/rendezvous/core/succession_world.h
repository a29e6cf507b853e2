// SuccessionWorld: whole processes that may each become the coordinator, on a simulated network,
// from one seed. SUCCESSION.md's invariants are checked at every step.
//
// Each process has a member engine and, while it has the role, a server engine. Connections keep
// the order of their bytes and deliver them late. Processes crash, are killed and stand still;
// nodes are cut off and healed. Time is a variable; nothing waits.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "rendezvous/member_engine.h"
#include "rendezvous/server_engine.h"

namespace muster::rendezvous {

struct WorldOptions {
  std::uint64_t seed = 0;
  std::uint32_t nodes = 4;
  std::uint32_t tasks_per_node = 1;
  std::uint32_t minimum_nodes = 0;  // 0: all
  std::size_t faults = 0;           // drawn from the seed
  Duration start_spread{1000};      // everybody starts within this
};

class SuccessionWorld {
 public:
  explicit SuccessionWorld(const WorldOptions& options);

  // Scripted faults, beside those drawn from the seed.
  void crash_at(Duration when, std::uint32_t process);
  void cut_at(Duration when, NodeIndex node);
  // The process dies at the very moment when it has sent (or would have sent: `before`) its n-th
  // frame as coordinator.
  void crash_coordinator_at_frame(std::size_t frame, bool before);

  // Runs until everybody's session is over. The broken invariants; empty when all hold.
  std::vector<std::string> run();

  const std::optional<Roster>& assembled() const { return assembled_; }
  Duration ended_after() const;  // the last process that was not crashed or cut
  std::optional<Duration> crashed_after() const { return crashed_after_; }
  // Somebody had reached a coordinator elsewhere when the first fault came.
  bool was_seen() const { return was_seen_; }
  std::size_t frames_of_coordinators() const { return frames_sent_; }
  std::size_t roles_taken() const { return roles_taken_; }
  const std::string& story() const { return story_; }

 private:
  struct Process {
    std::string name;
    MemberEngineOptions options;
    std::unique_ptr<MemberEngine> member;  // null before its start and after a crash
    std::unique_ptr<ServerEngine> server;  // while it has the role
    std::uint64_t server_number = 0;       // tells one server of this process from the next
    Generation last_generation{};
    bool crashed = false;
    bool over = false;
    bool searching = false;
    bool sees_all = false;
    TimePoint member_armed = TimePoint::max();
    TimePoint server_armed = TimePoint::max();
    TimePoint awake{};
    std::set<Generation> acknowledged;
    std::optional<Roster> roster;
    std::optional<Error> closed;
  };
  struct Wire {
    std::size_t member = 0;  // process
    std::size_t server = 0;  // process
    std::uint64_t server_number = 0;
    bool same_process = false;
    bool server_open = true;
    bool member_open = true;
    bool stalled = false;
    TimePoint to_server{};
    TimePoint to_member{};
  };
  struct Event {
    TimePoint when;
    std::uint64_t order;
    std::function<void()> happen;
    bool operator<(const Event& other) const {
      return when != other.when ? when > other.when : order > other.order;
    }
  };

  // succession_world.cc: processes and faults
  void add_processes();
  void plan_faults();
  void start(std::size_t process);
  void crash(std::size_t process);
  void cut(NodeIndex node);
  void heal(NodeIndex node);
  void stall(ConnectionId id);
  void take_role(std::size_t process, const member_effect::TakeRole& role);
  void sit_at_own_server(std::size_t process);
  void give_role_back(std::size_t process);
  void note_assembled(std::size_t process, const Roster& roster);
  void note_committed(std::size_t process, const Roster& roster);
  void check_the_end();
  bool is_reachable(std::size_t from, std::size_t to) const;

  // succession_wires.cc: shells and wires
  void at(TimePoint when, std::function<void()> happen);
  Duration delay();
  std::string bytes(std::size_t size);
  void step_member(std::size_t process, const MemberEvent& event);
  void step_server(std::size_t process, const ServerEvent& event);
  void arm(std::size_t process);
  void carry_out(std::size_t process, MemberEffects effects);
  void carry_out_server(std::size_t process, ServerEffects effects);
  void search(std::size_t process);
  void connect(std::size_t from, std::size_t to);
  void to_server(ConnectionId id, std::string frame);
  void to_member(ConnectionId id, std::string frame);
  void close_from_server(ConnectionId id);
  void close_from_member(ConnectionId id);
  ServerEngine* server_of(const Wire& wire);
  void violate(const std::string& what);
  void tell(const std::string& what);

  WorldOptions options_;
  std::mt19937_64 random_;
  TimePoint now_{};
  std::uint64_t next_order_ = 0;
  std::priority_queue<Event> events_;
  std::uint64_t next_connection_ = 1;
  std::uint64_t next_server_ = 1;
  std::vector<ExpectedMember> expected_;
  std::vector<Process> processes_;
  std::map<ConnectionId, Wire> wires_;
  std::set<NodeIndex> cut_;
  std::set<NodeIndex> ever_cut_;
  std::size_t frames_sent_ = 0;
  std::size_t fatal_frame_ = 0;
  bool fatal_before_ = false;
  bool was_seen_ = false;
  std::size_t roles_taken_ = 0;
  std::optional<Duration> crashed_after_;
  TimePoint last_end_{};
  std::optional<Roster> assembled_;
  std::vector<std::string> violations_;
  std::string story_;
};

}  // namespace muster::rendezvous
