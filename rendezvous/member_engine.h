// MemberEngine: a member's half of a rendezvous as a pure state machine.
//
// The shell connects to candidates while a Search is on and reports each connection; the engine
// reads the greetings, chooses, proves itself, joins, and after the roster carries messages and
// operations. A connection lost before the roster is committed only starts the search again; lost
// afterwards, it ends the session. The code stands in three files: member_door.cc (from the search
// to the welcome), member_rival.cc (other coordinators beside our own) and member_engine.cc
// (events, time, all after the welcome).
#pragma once

#include <map>
#include <optional>
#include <set>

#include "rendezvous/approach.h"
#include "rendezvous/heartbeat.h"
#include "rendezvous/member_events.h"
#include "rendezvous/operations.h"
#include "rendezvous/phases.h"
#include "rendezvous/sightings.h"
#include "rendezvous/succession.h"

namespace muster::rendezvous {

inline constexpr Duration kGreetingDeadline{5000};  // from the connect to the greeting
inline constexpr Duration kWelcomeDeadline{30000};  // from the greeting to the welcome
// How long a server is left alone that ended a join, or that could not prove itself.
inline constexpr Duration kAvoidAfterLoss{300};
inline constexpr Duration kAvoidAfterBadProof{10000};
// When to look at all successors: so long after the search began, and so long a coordinator gathers
// before it looks for rivals.
inline constexpr Duration kFirstSuccessorAlone{1500};
inline constexpr Duration kRivalsAfter{2000};
inline constexpr Duration kRivalAgain{3000};
// What the application may send before the roster; it waits here.
inline constexpr std::size_t kMaxEarlyBytes = 4u << 20;

class MemberEngine {
 public:
  // `options` have passed check_options(). The deadline counts from `now`.
  MemberEngine(MemberEngineOptions options, Digests digests, TimePoint now);

  // The first effects: Search, or TakeRole for the first successor. Called once.
  MemberEffects begin();

  MemberEffects step(const MemberEvent& event, TimePoint now);

  // When to send the next Tick at the latest; TimePoint::max() when the session is over.
  TimePoint next_deadline() const;

 private:
  struct Candidate {
    member_event::Connected connected;
    TimePoint since;
    FrameReader reader{kMaxUnprovenBody};
    std::optional<Approach> approach{};  // once we prove ourselves there
  };

  // member_door.cc
  void consider(const member_event::Connected& event);
  void hear_candidate(ConnectionId id, std::string_view bytes);
  Status judge(const Candidate& candidate, const Greeting& greeting) const;
  void dismiss(ConnectionId id, const std::string& why);
  void choose(ConnectionId id, const Greeting& greeting);
  Approach approach(const Candidate& candidate, const Greeting& greeting) const;
  void send_join(const member_event::CredentialEncoded& event);
  void take_welcome(const Welcome& welcome);
  void take_refusal(const Refused& refused);
  void avoid(Duration duration);
  void look_at_candidates();

  // member_rival.cc
  void try_rival(ConnectionId id, const Greeting& greeting);
  void answer_rival(const member_event::CredentialEncoded& event);
  void send_to_rival(const Join& join);
  void hear_rival(std::string_view bytes);
  void drop_rival(const std::string& why);

  // member_engine.cc
  MemberAction advance(MemberPhaseEvent event);
  // Advances, then searches again or ends, as the table says; `error` says why.
  void leave_phase(MemberPhaseEvent event, const Error& error);
  void receive(const member_event::Received& event);
  void take_frame(const Frame& frame);
  void take_message(const Message& message, Generation generation);
  bool serve(const Message& message);
  void take_prepare(const Prepare& prepare, Generation generation);
  // `digest` is that of the list's bytes.
  void take_members(Members list, const std::string& digest, Generation generation);
  bool holds_roster() const { return !options_.wants_members || !roster_.members.empty(); }
  void acknowledge();
  void take_roster();
  void lose(ConnectionId id, const std::string& detail);
  void note_stalled(ConnectionId id);
  void note_round(const member_event::SearchedRound& event);
  void search_again(const Error& error);
  void end(const Error& error);
  void send_application(const member_event::Send& event);
  void start(const member_event::Start& event);
  void carry_out(Operations::Outcome outcome);
  void leave(Duration timeout);
  void finish_leave(Status status);
  void forgive(Duration gap);
  void look_at_succession();
  void wish_search();
  void look_at_link();
  void look_at_deadlines();
  void set_silent(bool silent);
  void drop_connections();
  void drop_candidates();
  void send(const Message& message, Generation generation);
  void note(std::string line) { effects_.push_back(Note{std::move(line)}); }
  bool is_joining() const;  // the join's deadline still counts
  Error too_late() const;

  MemberEngineOptions options_;
  Digests digests_;
  TimePoint now_;
  TimePoint deadline_;
  TimePoint return_deadline_ = TimePoint::max();  // after the loss of a coordinator that took us in
  bool was_seated_ = false;
  TimePoint leave_deadline_ = TimePoint::max();
  Pulse pulse_;
  Succession succession_;
  Sightings sightings_;
  AcknowledgedRosters acknowledged_;
  bool taking_role_ = false;      // TakeRole was said, and no connection to our server has come
  std::optional<bool> searches_;  // what the shell was told: StopSearch, or Search and for all
  bool sees_all_ = false;
  bool leads_ = false;  // the chosen connection is, or was until now, to our own server
  TimePoint searching_since_;
  MemberPhase phase_ = MemberPhase::kSearching;

  std::map<ConnectionId, Candidate> candidates_;
  std::map<Endpoint, TimePoint> avoided_;  // until when
  std::set<Endpoint> noted_;               // told about once
  std::string last_reason_;                // the last thing that went wrong before the roster

  // The chosen connection; from kProving until it is lost.
  std::optional<Candidate> chosen_;
  std::uint32_t epoch_ = 0;   // of the chosen one
  bool was_refused_ = false;  // by the chosen one, without a proof
  std::optional<Candidate> rival_;
  Link link_;
  bool silent_ = false;

  Generation generation_{};  // of the roster prepared or committed over this connection
  SeatSet seats_;            // of the roster prepared
  Roster roster_;            // prepared; given away with the commit
  std::vector<std::string> early_;
  std::size_t early_bytes_ = 0;
  bool closed_by_coordinator_ = false;
  Operations operations_;
  MemberEffects effects_;
};

}  // namespace muster::rendezvous
