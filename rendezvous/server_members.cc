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
  assembly_.vacate(member);
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
  if (!assembly_.all_joined()) return;
  const Generation generation = assembly_.prepare();
  roster_ = assembly_.roster();
  if (size_of(roster_) > kMaxReplyBody) {
    advance(AssemblyEvent::kRosterTooLarge);
    return fail(Error(ErrorCode::kLimit, "the members' facts make a roster over 64 MiB"));
  }
  advance(AssemblyEvent::kAllJoined);
  send_to_seats(encode_shared(Prepare{options_.node, options_.epoch, roster_}, generation));
}

void ServerEngine::commit_if_acknowledged() {
  if (phase_ != AssemblyPhase::kPreparing || !assembly_.all_acknowledged()) return;
  advance(AssemblyEvent::kAllAcknowledged);
  collectives_.emplace(names_of(roster_));
  send_to_seats(encode_shared(Commit{}, assembly_.generation()));
  effects_.push_back(server_effect::Assembled{std::exchange(roster_, {})});
}

// The phase is over already; everybody hears why.
void ServerEngine::fail(const Error& error) {
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
  const std::string verb =
      assembly_.all_joined() ? " joined but did not acknowledge the roster" : " did not come";
  return who + verb + " within " + seconds_text(options_.assembly_deadline) + ": " +
         fold_members(missing, assembly_.expected());
}

std::string ServerEngine::name_of_seat(MemberIndex member) const {
  return name_member({member, assembly_.seat(member).description, ""});
}

}  // namespace muster::rendezvous
