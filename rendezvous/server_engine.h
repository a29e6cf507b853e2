// ServerEngine: the coordinator's half of a rendezvous as a pure state machine.
//
// No socket, clock or randomness: the shell tells it what happened and when, and carries out the
// effects in their order. Time never goes backwards between calls. MEMBERSHIP.md has the states and
// the argument; PROTOCOL.md the bytes. The code stands in three files: server_engine.cc (events,
// time), server_door.cc (from the greeting to the seat), server_members.cc (roster and service).
#pragma once

#include <map>
#include <optional>
#include <set>
#include <unordered_map>
#include <utility>

#include "rendezvous/assembly.h"
#include "rendezvous/collectives.h"
#include "rendezvous/doubt.h"
#include "rendezvous/heartbeat.h"
#include "rendezvous/phases.h"
#include "rendezvous/server_events.h"
#include "rendezvous/store.h"

namespace muster::rendezvous {

// From the greeting to the join. The proof itself has no limit here: munge's queue is ours.
inline constexpr Duration kProofDeadline{5000};
// The same when the process is out of descriptors.
inline constexpr Duration kSilenceWhenCrowded{250};
// Connections that have proven nothing yet: this many and two for each expected member.
inline constexpr std::size_t kMaxUnprovenBase = 256;

class ServerEngine {
 public:
  // `options` have passed check_options(). The assembly's deadline counts from `now`.
  ServerEngine(ServerEngineOptions options, Digests digests, TimePoint now);

  ServerEffects step(const ServerEvent& event, TimePoint now);

  // The last one prepared.
  Generation last_generation() const { return assembly_.generation(); }

  // After a failed assembly: nobody who may still come has to hear why.
  bool has_told_all() const { return assembly_.attendance().is_settled(); }

  // When to send the next Tick at the latest; cheap. After Close or a failed assembly, when all
  // connections are closed, there is none: TimePoint::max().
  TimePoint next_deadline() const;

 private:
  struct Connection {
    Connection(ConnectionId id_in, TimePoint now)
        : id(id_in), link(now), accepted(now), reader(kMaxUnprovenBody) {}

    ConnectionId id;
    DoorPhase phase = DoorPhase::kGreeted;
    Link link;
    TimePoint accepted;
    FrameReader reader;
    Endpoint local;
    std::string remote_address;
    bool same_process = false;
    Greeting greeting;
    Join join;
    std::string transcript;
    std::string key;       // what our proofs are made with; "" until the joiner's is good
    MemberIndex member{};  // from kMember on
  };
  enum class Departure { kLeft, kClosed, kUnacknowledged };

  // server_engine.cc
  void accept(const server_event::Accepted& event);
  void receive(const server_event::Received& event);
  void take_frame(ConnectionId id, const Frame& frame);
  void lose(ConnectionId id, Departure departure, const std::string& detail);
  void send_to(const server_event::SendTo& event);
  void send_to_all(const server_event::SendToAll& event);
  void close(const std::string& reason);
  void close_the_silent();
  void meet_rival(const server_event::RivalMet& event);
  void forgive_all(Duration gap);
  void look_at_links();
  void look_at_deadlines();
  void look_at_returns();
  void look_at_last_call();
  void send(Connection& connection, FrameBytes bytes);
  void send_to_seat(MemberIndex member, const FrameBytes& bytes);
  void send_to_seats(const FrameBytes& bytes);
  void drop(Connection& connection);
  void note(std::string line) { effects_.push_back(Note{std::move(line)}); }
  Connection* find(ConnectionId id);

  // server_door.cc
  DoorAction advance(Connection& connection, DoorEvent event);
  void make_room();
  void turn_away(Connection& connection, DoorEvent event, const std::string& why);
  void check_proof(Connection& connection);
  void finish_proof(const server_event::CredentialDecoded& event);
  Status check_decoded(Connection& connection, const DecodedCredential& decoded);
  void admit(Connection& connection);
  void note_lost_nodes(const std::vector<NodeIndex>& lost);
  Status free_seat(const Connection& connection, MemberIndex member);
  void refuse(Connection& connection, const Error& error);
  std::string origin(const Connection& connection) const;

  // server_members.cc
  AssemblyAction advance(AssemblyEvent event);
  void serve(Connection& connection, Message message, Generation generation);
  bool serve_store(MemberIndex from, Message& message);
  bool serve_collective(MemberIndex from, Message& message);
  void announce(Collectives::Announcements announcements);
  void end_member(Connection& connection, Departure departure, const std::string& detail);
  void prepare_if_complete();
  void prepare();
  bool is_in_doubt();
  void send_members(const std::string& list, Generation generation);
  void commit_if_acknowledged();
  void fail(const Error& error);
  void close_all(ErrorCode code, const std::string& reason);
  void number_members();
  void refuse_unfinished();
  std::string missing_text() const;
  std::string given_up_text(MemberIndex member) const;
  std::string name_of_seat(MemberIndex member) const;

  ServerEngineOptions options_;
  Digests digests_;
  TimePoint now_;
  TimePoint begun_;
  TimePoint deadline_;
  // Of those who joined and are gone, and of the one whose role we took.
  std::map<MemberIndex, TimePoint> return_deadlines_;
  std::set<NodeIndex> lost_nodes_;  // of the coordinators before, as their successor or members say
  std::optional<TimePoint> last_call_;       // enough nodes are whole since; then only they count
  std::optional<TimePoint> doubt_deadline_;  // an older roster is in doubt
  TimePoint next_progress_;
  Pulse pulse_;
  AssemblyPhase phase_ = AssemblyPhase::kAssembling;
  Assembly assembly_;
  Doubts doubts_;
  std::unordered_map<ConnectionId, Connection> connections_;
  std::set<std::pair<TimePoint, ConnectionId>> greeted_;  // the oldest first
  std::size_t proving_ = 0;
  std::optional<Error> failed_;  // why; joiners who still come are refused with it
  Roster roster_;                // prepared; given away with the commit
  Store store_;
  std::optional<Collectives> collectives_;  // after the commit
  FrameBytes ping_;
  ServerEffects effects_;
};

}  // namespace muster::rendezvous
