// The roster and the service of its members.
#include "rendezvous/server_engine.h"
#include "rendezvous/text.h"

namespace muster::rendezvous {

namespace {

// An upper bound of the roster's frame, without encoding it.
std::size_t size_of(const Roster& roster) {
  std::size_t size = 1024;
  for (const Member& member : roster.members) {
    size += 32 + member.description.host.size() + member.description.facts.size() +
            member.address.size();
  }
  return size;
}

std::vector<std::string> names_of(const Roster& roster) {
  std::vector<std::string> names;
  for (const Member& member : roster.members) names.push_back(name_member(member));
  return names;
}

}  // namespace

AssemblyAction ServerEngine::advance(AssemblyEvent event) {
  const AssemblyTransition& transition = find_transition(kAssemblyTable, phase_, event);
  MUSTER_CHECK(transition.action != AssemblyAction::kImpossible);
  phase_ = transition.to;
  return transition.action;
}

void ServerEngine::serve(Connection& connection, Message message, Generation generation) {
  const MemberIndex from = connection.member;
  if (std::holds_alternative<Ping>(message)) return;
  if (std::holds_alternative<Leave>(message)) {
    send(connection, encode_shared(Left{}, Generation{}));
    advance(connection, DoorEvent::kGone);
    end_member(connection, Departure::kLeft, "left");
    return drop(connection);
  }
  if (generation < assembly_.generation()) return;  // of a membership that is over
  if (generation > assembly_.generation())
    return turn_away(connection, DoorEvent::kGarbage, "speaks of a generation to come");
  if (std::holds_alternative<Ack>(message)) {
    assembly_.acknowledge(from, generation);
    return commit_if_acknowledged();
  }
  if (phase_ == AssemblyPhase::kCommitted) {
    if (auto* application = std::get_if<ApplicationMessage>(&message)) {
      effects_.push_back(server_effect::MessageArrived{from, std::move(application->bytes)});
      return;
    }
    if (serve_store(from, message) || serve_collective(from, message)) return;
  }
  turn_away(connection, DoorEvent::kGarbage,
            "says \"" + std::string(name_of(message)) + "\" out of turn");
}

bool ServerEngine::serve_store(MemberIndex from, Message& message) {
  Store::Answers answers;
  if (auto* set = std::get_if<SetRequest>(&message)) {
    answers = store_.set(from, std::move(*set));
  } else if (auto* get = std::get_if<GetRequest>(&message)) {
    answers = store_.get(from, std::move(*get));
  } else if (auto* wait = std::get_if<WaitRequest>(&message)) {
    answers = store_.wait(from, std::move(*wait));
  } else if (auto* add = std::get_if<AddRequest>(&message)) {
    answers = store_.add(from, std::move(*add));
  } else if (auto* cancel = std::get_if<CancelRequest>(&message)) {
    store_.cancel(from, cancel->request);
  } else {
    return false;
  }
  for (const Store::Answer& answer : answers)
    send_to_seat(answer.to, encode_shared(answer.message, assembly_.generation()));
  return true;
}

bool ServerEngine::serve_collective(MemberIndex from, Message& message) {
  if (auto* arrival = std::get_if<Arrive>(&message)) {
    announce(collectives_->arrive(from, std::move(*arrival)));
  } else if (const auto* give_up = std::get_if<GiveUp>(&message)) {
    announce(collectives_->give_up(from, *give_up));
  } else if (const auto* ask = std::get_if<AskMissing>(&message)) {
    const Missing missing = collectives_->missing(ask->name);
    send_to_seat(from, encode_shared(missing, assembly_.generation()));
  } else {
    return false;
  }
  return true;
}

void ServerEngine::announce(Collectives::Announcements announcements) {
  for (const auto& [to, message] : announcements) {
    const FrameBytes bytes = encode_shared(message, assembly_.generation());
    for (const MemberIndex member : to) send_to_seat(member, bytes);
  }
}

// The seat is empty from now on; the connection itself is the caller's to drop.
void ServerEngine::end_member(Connection& connection, Departure departure,
                              const std::string& detail) {
  const MemberIndex member = connection.member;
  const std::string name = name_of_seat(member);
  const bool matters = assembly_.seat(member).in_roster || phase_ != AssemblyPhase::kPreparing;
  assembly_.vacate(member);
  doubts_.note_gone(member);
  if (!matters) return note(name + " is gone, which the roster does without: " + detail);
  switch (advance(AssemblyEvent::kMemberGone)) {
    case AssemblyAction::kVacateSeat:
      return_deadlines_[member] = now_ + kReturnPatience;
      return note(name + " is gone before the roster was complete: " + detail);
    case AssemblyAction::kReportGone:
      break;
    default:
      return;
  }
  store_.forget(member);
  if (departure == Departure::kLeft) {
    effects_.push_back(server_effect::MemberLeft{member});
    return announce(collectives_->drop_member(member, "has left"));
  }
  const bool unacknowledged = departure == Departure::kUnacknowledged;
  effects_.push_back(server_effect::MemberLost{member, unacknowledged, detail});
  announce(collectives_->drop_member(member, "is lost: " + detail));
}

void ServerEngine::prepare_if_complete() {
  if (phase_ != AssemblyPhase::kAssembling || !assembly_.attendance().is_complete()) return;
  if (!is_in_doubt()) return prepare();
  if (!doubt_deadline_) doubt_deadline_ = now_ + kDoubtPatience;
}

bool ServerEngine::is_in_doubt() {
  const Attendance& attendance = assembly_.attendance();
  return doubts_.open([&](MemberIndex member) { return attendance.is_in_world(member); })
      .has_value();
}

void ServerEngine::prepare() {
  const Generation generation = assembly_.prepare();
  roster_ = assembly_.roster();
  if (size_of(roster_) > kMaxReplyBody) {
    return fail(Error(ErrorCode::kLimit, "the members' facts make a roster over 64 MiB"));
  }
  advance(AssemblyEvent::kComplete);
  const std::string list = encode_body(Members{roster_.members});
  roster_.digest = digests_.sha256(list);
  const FrameBytes bytes =
      encode_shared(Prepare{options_.node, options_.epoch, assembly_.roster_seats(),
                            roster_.coordinator_address, roster_.size, roster_.digest},
                    generation);
  for (std::size_t i = 0; i < assembly_.size(); ++i) {
    const MemberIndex member{static_cast<std::uint32_t>(i)};
    if (assembly_.seat(member).in_roster) send_to_seat(member, bytes);
  }
  send_members(list, generation);
}

// One list, shared by all who want it.
void ServerEngine::send_members(const std::string& list, Generation generation) {
  FrameBytes frame;
  for (std::size_t i = 0; i < assembly_.size(); ++i) {
    const MemberIndex member{static_cast<std::uint32_t>(i)};
    const Seat& seat = assembly_.seat(member);
    if (!seat.in_roster || !seat.wants_members) continue;
    if (!frame) frame = encode_shared_members(list, generation);
    send_to_seat(member, frame);
  }
}

void ServerEngine::commit_if_acknowledged() {
  if (phase_ != AssemblyPhase::kPreparing || !assembly_.all_acknowledged()) return;
  advance(AssemblyEvent::kAllAcknowledged);
  const FrameBytes closing = encode_shared(
      Closing{ErrorCode::kUnavailable, "this node is not in the world: others of it did not come"},
      assembly_.generation());
  for (const ConnectionId left_out : assembly_.commit()) {
    send(*find(left_out), closing);
    drop(*find(left_out));
  }
  number_members();
  refuse_unfinished();
  collectives_.emplace(names_of(roster_));
  send_to_seats(encode_shared(Commit{}, assembly_.generation()));
  effects_.push_back(server_effect::Assembled{std::exchange(roster_, {})});
}

// Nobody opens credentials any more, so who is still being proven hears now that it came too late.
void ServerEngine::refuse_unfinished() {
  std::vector<ConnectionId> unfinished;
  for (const auto& [id, connection] : connections_)
    if (connection.phase == DoorPhase::kProving) unfinished.push_back(id);
  for (const ConnectionId id : unfinished)
    refuse(*find(id), Error(ErrorCode::kUnavailable, "it comes too late: the roster is complete"));
}

// The places in the roster are the members' numbers from the commit on.
void ServerEngine::number_members() {
  for (std::size_t i = 0; i < assembly_.size(); ++i) {
    const MemberIndex member{static_cast<std::uint32_t>(i)};
    find(assembly_.seat(member).connection)->member = member;
  }
}

// Everybody hears why.
void ServerEngine::fail(const Error& error) {
  advance(AssemblyEvent::kHopeless);
  failed_ = error;
  effects_.push_back(server_effect::AssemblyFailed{error});
  close_all(error.code(), error.message());
}

void ServerEngine::close_all(ErrorCode code, const std::string& reason) {
  const FrameBytes closing =
      encode_shared(Closing{code, clipped(reason, kMaxText)}, assembly_.generation());
  for (auto& [id, connection] : connections_) {
    if (connection.phase == DoorPhase::kMember) send(connection, closing);
    effects_.push_back(CloseConnection{id});
  }
  connections_.clear();
  greeted_.clear();
  proving_ = 0;
}

std::string ServerEngine::missing_text() const {
  const std::vector<ExpectedMember> missing = assembly_.missing();
  const std::string who =
      std::to_string(missing.size()) + " of " + std::to_string(assembly_.size()) + " members";
  const std::string verb = phase_ == AssemblyPhase::kPreparing
                               ? " joined but did not acknowledge the roster"
                               : " did not come";
  return who + verb + " within " + seconds_text(options_.assembly_deadline) + ": " +
         fold_members(missing, assembly_.expected());
}

std::string ServerEngine::given_up_text(MemberIndex member) const {
  const ExpectedMember& expected = assembly_.expected()[value_of(member)];
  const std::string who = fold_members({expected}, assembly_.expected());
  const Attendance& attendance = assembly_.attendance();
  const std::string need = attendance.needed_nodes() == attendance.nodes()
                               ? ""
                               : " (" + std::to_string(attendance.needed_nodes()) + " of " +
                                     std::to_string(attendance.nodes()) + " nodes are needed)";
  if (lost_nodes_.contains(expected.node))
    return who + " was lost while the members gathered, and with it the coordinator" + need;
  return who + " joined and ended before all were there, and did not come back within " +
         seconds_text(kReturnPatience) + need;
}

std::string ServerEngine::name_of_seat(MemberIndex member) const {
  return name_member({member, assembly_.seat(member).description, ""});
}

}  // namespace muster::rendezvous
