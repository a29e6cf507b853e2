// Phases: the three state machines of a meeting as tables. Pure.
//
// The engines ask the table what to do; no phase is ever assigned by hand. Every pair of phase and
// event stands in its table, the impossible ones too (our own code cannot produce them: a CHECK).
// MEMBERSHIP.md prints the tables; a test compares page and code.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

#include "rendezvous/base/check.h"

namespace muster::rendezvous {

template <class Phase, class Event, class Action>
struct Transition {
  Phase from;
  Event event;
  Phase to;
  Action action;
};

template <class Phase, class Event, class Action, std::size_t n>
constexpr const Transition<Phase, Event, Action>& find_transition(
    const std::array<Transition<Phase, Event, Action>, n>& table, Phase from, Event event) {
  for (const auto& transition : table)
    if (transition.from == from && transition.event == event) return transition;
  MUSTER_CHECK(false && "every pair of phase and event stands in the table");
  return table[0];
}

// --- The assembly, at the coordinator
// --------------------------------------------------------------

enum class AssemblyPhase { kAssembling, kPreparing, kCommitted, kOver };
enum class AssemblyEvent {
  kComplete,  // all who are not given up have joined, and they are enough
  kAllAcknowledged,
  kMemberGone,  // disconnected, stalled, replaced or left
  kHopeless,  // the deadline passed, too few can still come, a doubt stays, the roster is too large
  kYield,     // another coordinator has the role
  kClose,     // the application ends the meeting
};
enum class AssemblyAction {
  kSendPrepare,
  kSendCommit,
  kVacateSeat,
  kReportGone,
  kFail,
  kGiveRoleBack,
  kCloseAll,
  kNothing,
  kImpossible,
};

using AssemblyTransition = Transition<AssemblyPhase, AssemblyEvent, AssemblyAction>;
extern const std::array<AssemblyTransition, 24> kAssemblyTable;

// --- One connection, at the coordinator
// ------------------------------------------------------------

enum class DoorPhase { kGreeted, kProving, kMember, kClosed };
enum class DoorEvent {
  kJoin,
  kAdmitted,  // the proof is good and the seat is free
  kRefused,   // the proof is bad, or there is no seat
  kOtherFrame,
  kGarbage,  // bytes that break the grammar
  kLate,     // no join within kProofDeadline of the greeting, or its place is needed
  kGone,     // closed by the peer, or stalled
};
enum class DoorAction {
  kCheckProof,
  kAdmit,
  kRefuse,
  kServe,
  kTurnAway,   // close, with a note
  kForget,     // nobody was there yet
  kEndMember,  // the seat's loss is an AssemblyEvent
  kNothing,
  kImpossible,
};

using DoorTransition = Transition<DoorPhase, DoorEvent, DoorAction>;
extern const std::array<DoorTransition, 28> kDoorTable;

// --- A member
// --------------------------------------------------------------------------------------

enum class MemberPhase { kSearching, kProving, kJoined, kPrepared, kCommitted, kLeaving, kOver };
enum class MemberPhaseEvent {
  kFit,           // a candidate's greeting names our meeting
  kWelcome,       // with a valid proof
  kRefusal,       // with a valid proof
  kPrepare,       // a newer generation than any before
  kCommit,        // of the prepared generation
  kClosing,       // the coordinator's last word
  kDisconnected,  // the chosen connection ended, stalled, or spoke out of turn
  kHopeless,      // the join's deadline passed, or search or munge cannot succeed
  kLeave,         // the application's wish
  kLeft,          // the coordinator's answer
  kLeaveDeadline,
};
enum class MemberAction {
  kProve,
  kSitDown,
  kAcknowledge,
  kTakeRoster,
  kSearchAgain,
  kEnd,  // the application hears why
  kSayGoodbye,
  kFinishLeave,
  kTimeOutLeave,
  kNothing,
  kImpossible,
};

using MemberTransition = Transition<MemberPhase, MemberPhaseEvent, MemberAction>;
extern const std::array<MemberTransition, 77> kMemberTable;

// Names without the k, as the page prints them: "assembling", "all joined".
std::string_view to_string(AssemblyPhase value);
std::string_view to_string(AssemblyEvent value);
std::string_view to_string(AssemblyAction value);
std::string_view to_string(DoorPhase value);
std::string_view to_string(DoorEvent value);
std::string_view to_string(DoorAction value);
std::string_view to_string(MemberPhase value);
std::string_view to_string(MemberPhaseEvent value);
std::string_view to_string(MemberAction value);

}  // namespace muster::rendezvous
