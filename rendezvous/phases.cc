#include "rendezvous/phases.h"

namespace muster::rendezvous {

namespace {
namespace assembly_table {
using P = AssemblyPhase;
using E = AssemblyEvent;
using A = AssemblyAction;
constexpr std::array<AssemblyTransition, 24> kTable = {{
    // clang-format off
    {P::kAssembling,   E::kComplete,         P::kPreparing,   A::kSendPrepare},
    {P::kAssembling,   E::kAllAcknowledged,  P::kAssembling,  A::kImpossible},
    {P::kAssembling,   E::kMemberGone,       P::kAssembling,  A::kVacateSeat},
    {P::kAssembling,   E::kHopeless,         P::kOver,        A::kFail},
    {P::kAssembling,   E::kYield,            P::kOver,        A::kGiveRoleBack},
    {P::kAssembling,   E::kClose,            P::kOver,        A::kCloseAll},

    {P::kPreparing,    E::kComplete,         P::kPreparing,   A::kImpossible},
    {P::kPreparing,    E::kAllAcknowledged,  P::kCommitted,   A::kSendCommit},
    {P::kPreparing,    E::kMemberGone,       P::kAssembling,  A::kVacateSeat},
    {P::kPreparing,    E::kHopeless,         P::kOver,        A::kFail},
    {P::kPreparing,    E::kYield,            P::kOver,        A::kGiveRoleBack},
    {P::kPreparing,    E::kClose,            P::kOver,        A::kCloseAll},

    {P::kCommitted,    E::kComplete,         P::kCommitted,   A::kImpossible},
    {P::kCommitted,    E::kAllAcknowledged,  P::kCommitted,   A::kImpossible},
    {P::kCommitted,    E::kMemberGone,       P::kCommitted,   A::kReportGone},
    {P::kCommitted,    E::kHopeless,         P::kCommitted,   A::kImpossible},
    {P::kCommitted,    E::kYield,            P::kCommitted,   A::kNothing},
    {P::kCommitted,    E::kClose,            P::kOver,        A::kCloseAll},

    {P::kOver,         E::kComplete,         P::kOver,        A::kImpossible},
    {P::kOver,         E::kAllAcknowledged,  P::kOver,        A::kImpossible},
    {P::kOver,         E::kMemberGone,       P::kOver,        A::kImpossible},
    {P::kOver,         E::kHopeless,         P::kOver,        A::kImpossible},
    {P::kOver,         E::kYield,            P::kOver,        A::kNothing},
    {P::kOver,         E::kClose,            P::kOver,        A::kNothing},
    // clang-format on
}};
}  // namespace assembly_table
}  // namespace

const std::array<AssemblyTransition, 24> kAssemblyTable = assembly_table::kTable;

namespace {
namespace door_table {
using P = DoorPhase;
using E = DoorEvent;
using A = DoorAction;
constexpr std::array<DoorTransition, 28> kTable = {{
    // clang-format off
    {P::kGreeted,     E::kJoin,             P::kProving,     A::kCheckProof},
    {P::kGreeted,     E::kAdmitted,         P::kGreeted,     A::kImpossible},
    {P::kGreeted,     E::kRefused,          P::kGreeted,     A::kImpossible},
    {P::kGreeted,     E::kOtherFrame,       P::kClosed,      A::kTurnAway},
    {P::kGreeted,     E::kGarbage,          P::kClosed,      A::kTurnAway},
    {P::kGreeted,     E::kLate,             P::kClosed,      A::kTurnAway},
    {P::kGreeted,     E::kGone,             P::kClosed,      A::kForget},

    {P::kProving,     E::kJoin,             P::kClosed,      A::kTurnAway},
    {P::kProving,     E::kAdmitted,         P::kMember,      A::kAdmit},
    {P::kProving,     E::kRefused,          P::kClosed,      A::kRefuse},
    {P::kProving,     E::kOtherFrame,       P::kClosed,      A::kTurnAway},
    {P::kProving,     E::kGarbage,          P::kClosed,      A::kTurnAway},
    {P::kProving,     E::kLate,             P::kProving,     A::kImpossible},
    {P::kProving,     E::kGone,             P::kClosed,      A::kForget},

    {P::kMember,      E::kJoin,             P::kClosed,      A::kEndMember},
    {P::kMember,      E::kAdmitted,         P::kMember,      A::kImpossible},
    {P::kMember,      E::kRefused,          P::kMember,      A::kImpossible},
    {P::kMember,      E::kOtherFrame,       P::kMember,      A::kServe},
    {P::kMember,      E::kGarbage,          P::kClosed,      A::kEndMember},
    {P::kMember,      E::kLate,             P::kMember,      A::kImpossible},
    {P::kMember,      E::kGone,             P::kClosed,      A::kEndMember},

    {P::kClosed,      E::kJoin,             P::kClosed,      A::kImpossible},
    {P::kClosed,      E::kAdmitted,         P::kClosed,      A::kImpossible},
    {P::kClosed,      E::kRefused,          P::kClosed,      A::kImpossible},
    {P::kClosed,      E::kOtherFrame,       P::kClosed,      A::kImpossible},
    {P::kClosed,      E::kGarbage,          P::kClosed,      A::kImpossible},
    {P::kClosed,      E::kLate,             P::kClosed,      A::kImpossible},
    {P::kClosed,      E::kGone,             P::kClosed,      A::kImpossible},
    // clang-format on
}};
}  // namespace door_table
}  // namespace

const std::array<DoorTransition, 28> kDoorTable = door_table::kTable;

namespace {
namespace member_table {
using P = MemberPhase;
using E = MemberPhaseEvent;
using A = MemberAction;
constexpr std::array<MemberTransition, 77> kTable = {{
    // clang-format off
    {P::kSearching,   E::kFit,              P::kProving,     A::kProve},
    {P::kSearching,   E::kWelcome,          P::kSearching,   A::kImpossible},
    {P::kSearching,   E::kRefusal,          P::kSearching,   A::kImpossible},
    {P::kSearching,   E::kPrepare,          P::kSearching,   A::kImpossible},
    {P::kSearching,   E::kCommit,           P::kSearching,   A::kImpossible},
    {P::kSearching,   E::kClosing,          P::kSearching,   A::kImpossible},
    {P::kSearching,   E::kDisconnected,     P::kSearching,   A::kImpossible},
    {P::kSearching,   E::kHopeless,         P::kOver,        A::kEnd},
    {P::kSearching,   E::kLeave,            P::kOver,        A::kFinishLeave},
    {P::kSearching,   E::kLeft,             P::kSearching,   A::kImpossible},
    {P::kSearching,   E::kLeaveDeadline,    P::kSearching,   A::kImpossible},

    {P::kProving,     E::kFit,              P::kProving,     A::kImpossible},
    {P::kProving,     E::kWelcome,          P::kJoined,      A::kSitDown},
    {P::kProving,     E::kRefusal,          P::kOver,        A::kEnd},
    {P::kProving,     E::kPrepare,          P::kProving,     A::kImpossible},
    {P::kProving,     E::kCommit,           P::kProving,     A::kImpossible},
    {P::kProving,     E::kClosing,          P::kProving,     A::kImpossible},
    {P::kProving,     E::kDisconnected,     P::kSearching,   A::kSearchAgain},
    {P::kProving,     E::kHopeless,         P::kOver,        A::kEnd},
    {P::kProving,     E::kLeave,            P::kOver,        A::kFinishLeave},
    {P::kProving,     E::kLeft,             P::kProving,     A::kImpossible},
    {P::kProving,     E::kLeaveDeadline,    P::kProving,     A::kImpossible},

    {P::kJoined,      E::kFit,              P::kJoined,      A::kImpossible},
    {P::kJoined,      E::kWelcome,          P::kJoined,      A::kImpossible},
    {P::kJoined,      E::kRefusal,          P::kJoined,      A::kImpossible},
    {P::kJoined,      E::kPrepare,          P::kPrepared,    A::kAcknowledge},
    {P::kJoined,      E::kCommit,           P::kJoined,      A::kImpossible},
    {P::kJoined,      E::kClosing,          P::kOver,        A::kEnd},
    {P::kJoined,      E::kDisconnected,     P::kSearching,   A::kSearchAgain},
    {P::kJoined,      E::kHopeless,         P::kOver,        A::kEnd},
    {P::kJoined,      E::kLeave,            P::kLeaving,     A::kSayGoodbye},
    {P::kJoined,      E::kLeft,             P::kJoined,      A::kImpossible},
    {P::kJoined,      E::kLeaveDeadline,    P::kJoined,      A::kImpossible},

    {P::kPrepared,    E::kFit,              P::kPrepared,    A::kImpossible},
    {P::kPrepared,    E::kWelcome,          P::kPrepared,    A::kImpossible},
    {P::kPrepared,    E::kRefusal,          P::kPrepared,    A::kImpossible},
    {P::kPrepared,    E::kPrepare,          P::kPrepared,    A::kAcknowledge},
    {P::kPrepared,    E::kCommit,           P::kCommitted,   A::kTakeRoster},
    {P::kPrepared,    E::kClosing,          P::kOver,        A::kEnd},
    {P::kPrepared,    E::kDisconnected,     P::kSearching,   A::kSearchAgain},
    {P::kPrepared,    E::kHopeless,         P::kOver,        A::kEnd},
    {P::kPrepared,    E::kLeave,            P::kLeaving,     A::kSayGoodbye},
    {P::kPrepared,    E::kLeft,             P::kPrepared,    A::kImpossible},
    {P::kPrepared,    E::kLeaveDeadline,    P::kPrepared,    A::kImpossible},

    {P::kCommitted,   E::kFit,              P::kCommitted,   A::kImpossible},
    {P::kCommitted,   E::kWelcome,          P::kCommitted,   A::kImpossible},
    {P::kCommitted,   E::kRefusal,          P::kCommitted,   A::kImpossible},
    {P::kCommitted,   E::kPrepare,          P::kCommitted,   A::kImpossible},
    {P::kCommitted,   E::kCommit,           P::kCommitted,   A::kImpossible},
    {P::kCommitted,   E::kClosing,          P::kOver,        A::kEnd},
    {P::kCommitted,   E::kDisconnected,     P::kOver,        A::kEnd},
    {P::kCommitted,   E::kHopeless,         P::kCommitted,   A::kImpossible},
    {P::kCommitted,   E::kLeave,            P::kLeaving,     A::kSayGoodbye},
    {P::kCommitted,   E::kLeft,             P::kCommitted,   A::kImpossible},
    {P::kCommitted,   E::kLeaveDeadline,    P::kCommitted,   A::kImpossible},

    {P::kLeaving,     E::kFit,              P::kLeaving,     A::kImpossible},
    {P::kLeaving,     E::kWelcome,          P::kLeaving,     A::kImpossible},
    {P::kLeaving,     E::kRefusal,          P::kLeaving,     A::kImpossible},
    {P::kLeaving,     E::kPrepare,          P::kLeaving,     A::kImpossible},
    {P::kLeaving,     E::kCommit,           P::kLeaving,     A::kImpossible},
    {P::kLeaving,     E::kClosing,          P::kOver,        A::kFinishLeave},
    {P::kLeaving,     E::kDisconnected,     P::kOver,        A::kFinishLeave},
    {P::kLeaving,     E::kHopeless,         P::kLeaving,     A::kImpossible},
    {P::kLeaving,     E::kLeave,            P::kLeaving,     A::kNothing},
    {P::kLeaving,     E::kLeft,             P::kOver,        A::kFinishLeave},
    {P::kLeaving,     E::kLeaveDeadline,    P::kOver,        A::kTimeOutLeave},

    {P::kOver,        E::kFit,              P::kOver,        A::kImpossible},
    {P::kOver,        E::kWelcome,          P::kOver,        A::kImpossible},
    {P::kOver,        E::kRefusal,          P::kOver,        A::kImpossible},
    {P::kOver,        E::kPrepare,          P::kOver,        A::kImpossible},
    {P::kOver,        E::kCommit,           P::kOver,        A::kImpossible},
    {P::kOver,        E::kClosing,          P::kOver,        A::kImpossible},
    {P::kOver,        E::kDisconnected,     P::kOver,        A::kImpossible},
    {P::kOver,        E::kHopeless,         P::kOver,        A::kImpossible},
    {P::kOver,        E::kLeave,            P::kOver,        A::kImpossible},
    {P::kOver,        E::kLeft,             P::kOver,        A::kImpossible},
    {P::kOver,        E::kLeaveDeadline,    P::kOver,        A::kImpossible},
    // clang-format on
}};
}  // namespace member_table
}  // namespace

const std::array<MemberTransition, 77> kMemberTable = member_table::kTable;

std::string_view to_string(AssemblyPhase value) {
  constexpr std::array<std::string_view, 4> kNames = {"assembling", "preparing", "committed",
                                                      "over"};
  return kNames.at(static_cast<std::size_t>(value));
}

std::string_view to_string(AssemblyEvent value) {
  constexpr std::array<std::string_view, 6> kNames = {
      "complete", "all acknowledged", "member gone", "hopeless", "yield", "close"};
  return kNames.at(static_cast<std::size_t>(value));
}

std::string_view to_string(AssemblyAction value) {
  constexpr std::array<std::string_view, 9> kNames = {
      "send prepare",   "send commit", "vacate seat", "report gone", "fail",
      "give role back", "close all",   "nothing",     "impossible"};
  return kNames.at(static_cast<std::size_t>(value));
}

std::string_view to_string(DoorPhase value) {
  constexpr std::array<std::string_view, 4> kNames = {"greeted", "proving", "member", "closed"};
  return kNames.at(static_cast<std::size_t>(value));
}

std::string_view to_string(DoorEvent value) {
  constexpr std::array<std::string_view, 7> kNames = {
      "join", "admitted", "refused", "other frame", "garbage", "late", "gone"};
  return kNames.at(static_cast<std::size_t>(value));
}

std::string_view to_string(DoorAction value) {
  constexpr std::array<std::string_view, 9> kNames = {"check proof", "admit",     "refuse",
                                                      "serve",       "turn away", "forget",
                                                      "end member",  "nothing",   "impossible"};
  return kNames.at(static_cast<std::size_t>(value));
}

std::string_view to_string(MemberPhase value) {
  constexpr std::array<std::string_view, 7> kNames = {"searching", "proving", "joined", "prepared",
                                                      "committed", "leaving", "over"};
  return kNames.at(static_cast<std::size_t>(value));
}

std::string_view to_string(MemberPhaseEvent value) {
  constexpr std::array<std::string_view, 11> kNames = {
      "fit",          "welcome",  "refusal", "prepare", "commit",        "closing",
      "disconnected", "hopeless", "leave",   "left",    "leave deadline"};
  return kNames.at(static_cast<std::size_t>(value));
}

std::string_view to_string(MemberAction value) {
  constexpr std::array<std::string_view, 11> kNames = {
      "prove",       "sit down",     "acknowledge",    "take roster", "search again", "end",
      "say goodbye", "finish leave", "time out leave", "nothing",     "impossible"};
  return kNames.at(static_cast<std::size_t>(value));
}

}  // namespace muster::rendezvous
