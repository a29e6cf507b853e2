// Simulation: one server engine and many member engines on a simulated network, from one seed.
//
// Connections keep the order of their bytes, as TCP does, and deliver them late and in pieces. In
// rough weather they break or stall, members crash, come twice, come late or never, strangers and
// impostors meddle, and processes stand still for a while. Time is a variable; nothing waits.
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

enum class Weather { kCalm, kRough };

class Simulation {
 public:
  Simulation(std::uint64_t seed, Weather weather);

  // Runs until everybody's session is over. The broken invariants; empty when all hold.
  std::vector<std::string> run();

  bool committed() const { return assembled_.has_value(); }
  std::size_t completed_well() const { return completed_well_; }
  const std::string& story() const { return story_; }

 private:
  struct Person {  // a member's process: the engine and what its shell would know
    std::string name;
    MemberEngineOptions options;
    std::unique_ptr<MemberEngine> engine;  // null before its start and after a crash
    bool genuine = true;                   // holds the job's key and uid
    bool crashed = false;
    bool searching = false;
    bool over = false;
    TimePoint armed = TimePoint::max();
    TimePoint awake{};  // stands still until then
    std::optional<Roster> roster;
    std::set<Generation> acknowledged;
    std::map<RequestId, std::string> open;  // operations not completed yet
    std::size_t rounds_left = 2;
    std::optional<Error> closed;
  };
  struct Wire {
    std::size_t person = 0;
    bool at_server = false;  // its far end is the server, not an impostor
    bool server_open = false;
    bool member_open = false;
    bool stalled = false;
    TimePoint to_server{};  // when the last piece arrives
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

  // simulation.cc: the world
  void plan_members();
  void plan_faults();
  void add_person(const std::string& name, NodeIndex node, bool genuine, TimePoint start);
  void start_person(std::size_t person);
  void crash(std::size_t person);
  void break_wire(ConnectionId id);
  void stall_wire(ConnectionId id);
  void intrude();
  std::optional<ConnectionId> any_wire(bool of_server);
  void finish_when_all_are_over();

  // simulation_network.cc: shells and wires
  void at(TimePoint when, std::function<void()> happen);
  Duration delay();
  std::string bytes(std::size_t size);
  void step_server(const ServerEvent& event);
  void step_person(std::size_t person, const MemberEvent& event);
  void carry_out(ServerEffects effects);
  void carry_out(std::size_t person, MemberEffects effects);
  void arm_server();
  void arm_person(std::size_t person);
  void search(std::size_t person);
  void connect(std::size_t person, bool to_server);
  void impersonate(ConnectionId id);
  void send_to_server(ConnectionId id, const std::string& frame);
  void send_to_member(ConnectionId id, const std::string& frame);
  void close_from_server(ConnectionId id);
  void close_from_member(ConnectionId id);
  std::string credential_of(std::size_t person, const std::string& payload) const;

  // simulation_checks.cc: what must hold
  void check_sent(const Wire& wire, const std::string& frame);
  void check_assembled(const Roster& roster);
  void check_committed(std::size_t person, const Roster& roster);
  void check_completed(std::size_t person, const member_effect::Completed& completed);
  void check_the_end();
  void begin_round(std::size_t person);
  void violate(const std::string& what);
  void tell(const std::string& what);

  std::mt19937_64 random_;
  Weather weather_;
  TimePoint now_{};
  std::size_t events_at_once_ = 0;
  std::uint64_t next_order_ = 0;
  std::priority_queue<Event> events_;
  std::uint64_t next_connection_ = 1;

  ServerEngineOptions server_options_;
  std::unique_ptr<ServerEngine> server_;
  TimePoint server_armed_ = TimePoint::max();
  TimePoint server_awake_{};
  bool server_closed_ = false;
  bool has_impostor_ = false;
  std::vector<Person> people_;
  std::map<ConnectionId, Wire> wires_;
  std::vector<std::string> overheard_;  // frames for replays
  std::optional<Roster> assembled_;
  std::optional<Error> failed_;
  std::map<std::string, std::vector<std::string>> gathered_;  // results seen, by name
  std::size_t completed_well_ = 0;
  std::vector<std::string> violations_;
  std::string story_;
};

}  // namespace muster::rendezvous
