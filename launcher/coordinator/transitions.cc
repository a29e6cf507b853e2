// The coordinator's table: every (phase, event) pair, once. tests/launcher/coordinator walks it and
// compares it with the page in launcher/README.md.
#include "launcher/coordinator/coordinator.h"
#include "rendezvous/base/check.h"

namespace muster::launcher {

namespace {

using P = Phase;
using E = EventKind;
using A = Action;

std::vector<Transition> build_table() {
  return {
      {P::kAssembling, E::kAssembled, A::kBegin, "looking opening store running closing"},
      {P::kAssembling, E::kAssemblyFailed, A::kEndUnassembled, "done"},
      {P::kAssembling, E::kCheckGroupsOpened, A::kImpossible, ""},
      {P::kAssembling, E::kCheckGroupsFailed, A::kImpossible, ""},
      {P::kAssembling, E::kWorkerEnded, A::kIgnore, "assembling"},
      {P::kAssembling, E::kGangFinished, A::kIgnore, "assembling"},
      {P::kAssembling, E::kCancelSeen, A::kIgnore, "assembling"},
      {P::kAssembling, E::kCloseAcknowledged, A::kIgnore, "assembling"},
      {P::kAssembling, E::kStoreOpened, A::kIgnore, "assembling"},
      {P::kAssembling, E::kStoreFailed, A::kIgnore, "assembling"},
      {P::kAssembling, E::kOwnersAsked, A::kIgnore, "assembling"},
      {P::kAssembling, E::kOwnersFound, A::kIgnore, "assembling"},
      {P::kAssembling, E::kNodeLooked, A::kIgnore, "assembling"},
      {P::kAssembling, E::kWorkersStarted, A::kIgnore, "assembling"},
      {P::kAssembling, E::kAgentLost, A::kIgnore, "assembling"},
      {P::kAssembling, E::kDeadlinePassed, A::kImpossible, ""},

      {P::kLooking, E::kAssembled, A::kImpossible, ""},
      {P::kLooking, E::kAssemblyFailed, A::kImpossible, ""},
      {P::kLooking, E::kCheckGroupsOpened, A::kIgnore, "looking"},
      {P::kLooking, E::kCheckGroupsFailed, A::kIgnore, "looking"},
      {P::kLooking, E::kWorkerEnded, A::kIgnore, "looking"},
      {P::kLooking, E::kGangFinished, A::kIgnore, "looking"},
      {P::kLooking, E::kCancelSeen, A::kCancel, "closing"},
      {P::kLooking, E::kCloseAcknowledged, A::kIgnore, "looking"},
      {P::kLooking, E::kStoreOpened, A::kIgnore, "looking"},
      {P::kLooking, E::kStoreFailed, A::kIgnore, "looking"},
      {P::kLooking, E::kOwnersAsked, A::kIgnore, "looking"},
      {P::kLooking, E::kOwnersFound, A::kIgnore, "looking"},
      {P::kLooking, E::kNodeLooked, A::kNoteLook, "looking checking opening store running closing"},
      {P::kLooking, E::kWorkersStarted, A::kIgnore, "looking"},
      {P::kLooking, E::kAgentLost, A::kLoseAgent, "looking checking opening store running closing"},
      {P::kLooking, E::kDeadlinePassed, A::kEndLook, "checking opening store running closing"},

      {P::kChecking, E::kAssembled, A::kImpossible, ""},
      {P::kChecking, E::kAssemblyFailed, A::kImpossible, ""},
      {P::kChecking, E::kCheckGroupsOpened, A::kStartCheckGang, "checking"},
      {P::kChecking, E::kCheckGroupsFailed, A::kEndCheckUnopened,
       "checking looking again opening store running closing"},
      {P::kChecking, E::kWorkerEnded, A::kNoteCheckProcess, "checking"},
      {P::kChecking, E::kGangFinished, A::kNoteReports,
       "checking looking again opening store running closing"},
      {P::kChecking, E::kCancelSeen, A::kCancel, "stopping"},
      {P::kChecking, E::kCloseAcknowledged, A::kIgnore, "checking"},
      {P::kChecking, E::kStoreOpened, A::kIgnore, "checking"},
      {P::kChecking, E::kStoreFailed, A::kIgnore, "checking"},
      {P::kChecking, E::kOwnersAsked, A::kIgnore, "checking"},
      {P::kChecking, E::kOwnersFound, A::kIgnore, "checking"},
      {P::kChecking, E::kNodeLooked, A::kIgnore, "checking"},
      {P::kChecking, E::kWorkersStarted, A::kIgnore, "checking"},
      {P::kChecking, E::kAgentLost, A::kLoseAgent,
       "checking looking again opening store running stopping closing"},
      {P::kChecking, E::kDeadlinePassed, A::kPassCheckDeadline,
       "checking looking again opening store running closing"},

      {P::kLookingAgain, E::kAssembled, A::kImpossible, ""},
      {P::kLookingAgain, E::kAssemblyFailed, A::kImpossible, ""},
      {P::kLookingAgain, E::kCheckGroupsOpened, A::kIgnore, "looking again"},
      {P::kLookingAgain, E::kCheckGroupsFailed, A::kIgnore, "looking again"},
      {P::kLookingAgain, E::kWorkerEnded, A::kIgnore, "looking again"},
      {P::kLookingAgain, E::kGangFinished, A::kIgnore, "looking again"},
      {P::kLookingAgain, E::kCancelSeen, A::kCancel, "closing"},
      {P::kLookingAgain, E::kCloseAcknowledged, A::kIgnore, "looking again"},
      {P::kLookingAgain, E::kStoreOpened, A::kIgnore, "looking again"},
      {P::kLookingAgain, E::kStoreFailed, A::kIgnore, "looking again"},
      {P::kLookingAgain, E::kOwnersAsked, A::kIgnore, "looking again"},
      {P::kLookingAgain, E::kOwnersFound, A::kIgnore, "looking again"},
      {P::kLookingAgain, E::kNodeLooked, A::kNoteLook,
       "looking again opening store running closing"},
      {P::kLookingAgain, E::kWorkersStarted, A::kIgnore, "looking again"},
      {P::kLookingAgain, E::kAgentLost, A::kLoseAgent,
       "looking again opening store running closing"},
      {P::kLookingAgain, E::kDeadlinePassed, A::kEndLook, "opening store running closing"},

      {P::kOpeningStore, E::kAssembled, A::kImpossible, ""},
      {P::kOpeningStore, E::kAssemblyFailed, A::kImpossible, ""},
      {P::kOpeningStore, E::kCheckGroupsOpened, A::kIgnore, "opening store"},
      {P::kOpeningStore, E::kCheckGroupsFailed, A::kIgnore, "opening store"},
      {P::kOpeningStore, E::kWorkerEnded, A::kIgnore, "opening store"},
      {P::kOpeningStore, E::kGangFinished, A::kIgnore, "opening store"},
      {P::kOpeningStore, E::kCancelSeen, A::kCancel, "closing"},
      {P::kOpeningStore, E::kCloseAcknowledged, A::kIgnore, "opening store"},
      {P::kOpeningStore, E::kStoreOpened, A::kStartWorkers, "opening store running"},
      {P::kOpeningStore, E::kStoreFailed, A::kEndStoreless, "opening store closing"},
      {P::kOpeningStore, E::kOwnersAsked, A::kCarryQuestion, "opening store"},
      {P::kOpeningStore, E::kOwnersFound, A::kCarryAnswer, "opening store"},
      {P::kOpeningStore, E::kNodeLooked, A::kIgnore, "opening store"},
      {P::kOpeningStore, E::kWorkersStarted, A::kIgnore, "opening store"},
      {P::kOpeningStore, E::kAgentLost, A::kLoseAgent, "opening store closing"},
      {P::kOpeningStore, E::kDeadlinePassed, A::kEndStoreLate, "opening store closing"},

      {P::kRunning, E::kAssembled, A::kImpossible, ""},
      {P::kRunning, E::kAssemblyFailed, A::kImpossible, ""},
      {P::kRunning, E::kCheckGroupsOpened, A::kIgnore, "running"},
      {P::kRunning, E::kCheckGroupsFailed, A::kIgnore, "running"},
      {P::kRunning, E::kWorkerEnded, A::kNoteWorker, "running stopping"},
      {P::kRunning, E::kGangFinished, A::kNoteFinished, "running closing"},
      {P::kRunning, E::kCancelSeen, A::kCancel, "stopping"},
      {P::kRunning, E::kCloseAcknowledged, A::kIgnore, "running"},
      {P::kRunning, E::kStoreOpened, A::kIgnore, "running"},
      {P::kRunning, E::kStoreFailed, A::kLoseStore, "running stopping"},
      {P::kRunning, E::kOwnersAsked, A::kCarryQuestion, "running"},
      {P::kRunning, E::kOwnersFound, A::kCarryAnswer, "running"},
      {P::kRunning, E::kNodeLooked, A::kIgnore, "running"},
      {P::kRunning, E::kWorkersStarted, A::kNoteStarted, "running"},
      {P::kRunning, E::kAgentLost, A::kLoseAgent, "opening store running stopping closing"},
      {P::kRunning, E::kDeadlinePassed, A::kEndStartLate, "opening store running stopping closing"},

      {P::kStopping, E::kAssembled, A::kImpossible, ""},
      {P::kStopping, E::kAssemblyFailed, A::kImpossible, ""},
      {P::kStopping, E::kCheckGroupsOpened, A::kIgnore, "stopping"},
      {P::kStopping, E::kCheckGroupsFailed, A::kIgnore, "stopping"},
      {P::kStopping, E::kWorkerEnded, A::kNoteWorkerStopped, "stopping"},
      {P::kStopping, E::kGangFinished, A::kNoteFinished,
       "looking opening store running stopping closing"},
      {P::kStopping, E::kCancelSeen, A::kCancel, "stopping"},
      {P::kStopping, E::kCloseAcknowledged, A::kIgnore, "stopping"},
      {P::kStopping, E::kStoreOpened, A::kIgnore, "stopping"},
      {P::kStopping, E::kStoreFailed, A::kIgnore, "stopping"},
      {P::kStopping, E::kOwnersAsked, A::kCarryQuestion, "stopping"},
      {P::kStopping, E::kOwnersFound, A::kCarryAnswer, "stopping"},
      {P::kStopping, E::kNodeLooked, A::kIgnore, "stopping"},
      {P::kStopping, E::kWorkersStarted, A::kIgnore, "stopping"},
      {P::kStopping, E::kAgentLost, A::kLoseAgent,
       "looking opening store running stopping closing"},
      {P::kStopping, E::kDeadlinePassed, A::kDecide,
       "looking opening store running stopping closing"},

      {P::kClosing, E::kAssembled, A::kImpossible, ""},
      {P::kClosing, E::kAssemblyFailed, A::kImpossible, ""},
      {P::kClosing, E::kCheckGroupsOpened, A::kIgnore, "closing"},
      {P::kClosing, E::kCheckGroupsFailed, A::kIgnore, "closing"},
      {P::kClosing, E::kWorkerEnded, A::kIgnore, "closing"},
      {P::kClosing, E::kGangFinished, A::kIgnore, "closing"},
      {P::kClosing, E::kCancelSeen, A::kIgnore, "closing"},
      {P::kClosing, E::kCloseAcknowledged, A::kNoteAcknowledged, "closing done"},
      {P::kClosing, E::kStoreOpened, A::kIgnore, "closing"},
      {P::kClosing, E::kStoreFailed, A::kIgnore, "closing"},
      {P::kClosing, E::kOwnersAsked, A::kIgnore, "closing"},
      {P::kClosing, E::kOwnersFound, A::kIgnore, "closing"},
      {P::kClosing, E::kNodeLooked, A::kIgnore, "closing"},
      {P::kClosing, E::kWorkersStarted, A::kIgnore, "closing"},
      {P::kClosing, E::kAgentLost, A::kLoseAgent, "closing done"},
      {P::kClosing, E::kDeadlinePassed, A::kFinish, "closing done"},

      {P::kDone, E::kAssembled, A::kIgnore, "done"},
      {P::kDone, E::kAssemblyFailed, A::kIgnore, "done"},
      {P::kDone, E::kCheckGroupsOpened, A::kIgnore, "done"},
      {P::kDone, E::kCheckGroupsFailed, A::kIgnore, "done"},
      {P::kDone, E::kWorkerEnded, A::kIgnore, "done"},
      {P::kDone, E::kGangFinished, A::kIgnore, "done"},
      {P::kDone, E::kCancelSeen, A::kIgnore, "done"},
      {P::kDone, E::kCloseAcknowledged, A::kIgnore, "done"},
      {P::kDone, E::kStoreOpened, A::kIgnore, "done"},
      {P::kDone, E::kStoreFailed, A::kIgnore, "done"},
      {P::kDone, E::kOwnersAsked, A::kIgnore, "done"},
      {P::kDone, E::kOwnersFound, A::kIgnore, "done"},
      {P::kDone, E::kNodeLooked, A::kIgnore, "done"},
      {P::kDone, E::kWorkersStarted, A::kIgnore, "done"},
      {P::kDone, E::kAgentLost, A::kIgnore, "done"},
      {P::kDone, E::kDeadlinePassed, A::kIgnore, "done"},
  };
}

}  // namespace

const std::vector<Transition>& transitions() {
  static const std::vector<Transition> table = build_table();
  return table;
}

std::string_view to_string(Phase phase) {
  switch (phase) {
    case Phase::kAssembling:
      return "assembling";
    case Phase::kLooking:
      return "looking";
    case Phase::kChecking:
      return "checking";
    case Phase::kLookingAgain:
      return "looking again";
    case Phase::kOpeningStore:
      return "opening store";
    case Phase::kRunning:
      return "running";
    case Phase::kStopping:
      return "stopping";
    case Phase::kClosing:
      return "closing";
    case Phase::kDone:
      return "done";
  }
  return "unknown";
}

std::string_view to_string(EventKind kind) {
  switch (kind) {
    case EventKind::kAssembled:
      return "assembled";
    case EventKind::kAssemblyFailed:
      return "assembly failed";
    case EventKind::kCheckGroupsOpened:
      return "check groups opened";
    case EventKind::kCheckGroupsFailed:
      return "check groups failed";
    case EventKind::kWorkerEnded:
      return "worker ended";
    case EventKind::kGangFinished:
      return "gang finished";
    case EventKind::kCancelSeen:
      return "cancel seen";
    case EventKind::kCloseAcknowledged:
      return "close acknowledged";
    case EventKind::kStoreOpened:
      return "store opened";
    case EventKind::kStoreFailed:
      return "store failed";
    case EventKind::kOwnersAsked:
      return "owners asked";
    case EventKind::kOwnersFound:
      return "owners found";
    case EventKind::kNodeLooked:
      return "node looked";
    case EventKind::kWorkersStarted:
      return "workers started";
    case EventKind::kAgentLost:
      return "agent lost";
    case EventKind::kDeadlinePassed:
      return "deadline passed";
  }
  return "unknown";
}

EventKind kind_of(const Event& event) {
  struct Namer {
    EventKind operator()(const Assembled&) const { return EventKind::kAssembled; }
    EventKind operator()(const AssemblyFailed&) const { return EventKind::kAssemblyFailed; }
    EventKind operator()(const CheckGroupsOpened&) const { return EventKind::kCheckGroupsOpened; }
    EventKind operator()(const CheckGroupsFailed&) const { return EventKind::kCheckGroupsFailed; }
    EventKind operator()(const AgentLost&) const { return EventKind::kAgentLost; }
    EventKind operator()(const DeadlinePassed&) const { return EventKind::kDeadlinePassed; }
    EventKind operator()(const AgentSaid& said) const { return std::visit(*this, said.message); }
    EventKind operator()(const WorkerEnded&) const { return EventKind::kWorkerEnded; }
    EventKind operator()(const GangFinished&) const { return EventKind::kGangFinished; }
    EventKind operator()(const CancelSeen&) const { return EventKind::kCancelSeen; }
    EventKind operator()(const CloseAcknowledged&) const { return EventKind::kCloseAcknowledged; }
    EventKind operator()(const StoreOpened&) const { return EventKind::kStoreOpened; }
    EventKind operator()(const StoreFailed&) const { return EventKind::kStoreFailed; }
    EventKind operator()(const AskOwners&) const { return EventKind::kOwnersAsked; }
    EventKind operator()(const OwnersFound&) const { return EventKind::kOwnersFound; }
    EventKind operator()(const NodeLooked&) const { return EventKind::kNodeLooked; }
    EventKind operator()(const WorkersStarted&) const { return EventKind::kWorkersStarted; }
  };
  return std::visit(Namer{}, event);
}

}  // namespace muster::launcher
