// From the greeting to the seat: proof, duplicates, strangers.
#include <algorithm>

#include "rendezvous/server_engine.h"
#include "rendezvous/text.h"

namespace muster::rendezvous {

namespace {

std::string describe(const MemberDescription& member) {
  return "node " + std::to_string(value_of(member.node)) + " task " +
         std::to_string(value_of(member.task)) + " (" + clipped(member.host, 64) + ", pid " +
         std::to_string(member.pid) + ")";
}

// Those whom a smaller roster was committed without have no seat any more.
Error no_seat(const MemberDescription& self, const std::vector<ExpectedMember>& expected) {
  const bool was_expected =
      std::any_of(expected.begin(), expected.end(), [&self](const ExpectedMember& one) {
        return one.node == self.node && one.task == self.task;
      });
  if (was_expected) {
    return Error(ErrorCode::kUnavailable,
                 describe(self) + " comes too late: the roster is complete without it");
  }
  return Error(ErrorCode::kInvalidArgument, describe(self) + " is not among the " +
                                                std::to_string(expected.size()) +
                                                " expected members");
}

}  // namespace

DoorAction ServerEngine::advance(Connection& connection, DoorEvent event) {
  const DoorTransition& transition = find_transition(kDoorTable, connection.phase, event);
  MUSTER_CHECK(transition.action != DoorAction::kImpossible);
  if (connection.phase == DoorPhase::kGreeted && transition.to != DoorPhase::kGreeted)
    greeted_.erase({connection.accepted, connection.id});
  if (connection.phase == DoorPhase::kProving && transition.to != DoorPhase::kProving) --proving_;
  if (connection.phase != DoorPhase::kProving && transition.to == DoorPhase::kProving) ++proving_;
  connection.phase = transition.to;
  return transition.action;
}

// Keeps the number of unproven connections under its limit: the one that has kept silent longest
// makes room. Those whose proof is being checked are left alone; they cost a join each.
void ServerEngine::make_room() {
  const std::size_t limit = kMaxUnprovenBase + 2 * assembly_.size();
  if (greeted_.size() + proving_ < limit || greeted_.empty()) return;
  turn_away(*find(greeted_.begin()->second), DoorEvent::kLate,
            "makes room: " + std::to_string(limit) + " connections have not proven themselves");
}

// The end of a connection that broke the rules, member or not.
void ServerEngine::turn_away(Connection& connection, DoorEvent event, const std::string& why) {
  const DoorAction action = advance(connection, event);
  if (action == DoorAction::kEndMember) {
    note("closing the connection of " + name_of_seat(connection.member) + ": " + why);
    end_member(connection, Departure::kClosed, "broke the protocol: " + why);
  } else {
    note("closing the connection of " + origin(connection) + ": " + why);
  }
  drop(connection);
}

void ServerEngine::check_proof(Connection& connection) {
  connection.transcript = transcript_of(connection.greeting, connection.join, connection.local);
  switch (connection.greeting.method) {
    case AuthenticationMethod::kNone:
      return admit(connection);
    case AuthenticationMethod::kKey: {
      const std::string expected = prove_join(digests_, options_.key, connection.transcript);
      if (!digests_.equal_in_constant_time(connection.join.proof, expected)) {
        return refuse(connection,
                      Error(ErrorCode::kPermissionDenied, "its key is not the one of this job"));
      }
      connection.key = options_.key;
      return admit(connection);
    }
    case AuthenticationMethod::kMunge:
      effects_.push_back(DecodeCredential{connection.id, connection.join.proof});
  }
}

void ServerEngine::finish_proof(const server_event::CredentialDecoded& event) {
  Connection* connection = find(event.connection);
  if (connection == nullptr || connection->phase != DoorPhase::kProving) return;
  if (!event.credential) return refuse(*connection, event.credential.error());
  const Status status = check_decoded(*connection, *event.credential);
  if (!status) return refuse(*connection, status.error());
  admit(*connection);
}

Status ServerEngine::check_decoded(Connection& connection, const DecodedCredential& decoded) {
  if (decoded.uid != options_.uid) {
    return failure(ErrorCode::kPermissionDenied,
                   "credential of uid " + std::to_string(decoded.uid) + ", the job belongs to " +
                       std::to_string(options_.uid));
  }
  MUSTER_TRY(payload, parse_credential_payload(decoded.payload));
  MUSTER_RETURN_IF_ERROR(
      check_credential(digests_, payload, connection.local, connection.transcript));
  connection.key = payload.key;
  return {};
}

void ServerEngine::admit(Connection& connection) {
  if (failed_) return refuse(connection, *failed_);
  const MemberDescription& self = connection.join.self;
  const auto member = assembly_.find(self.node, self.task);
  if (!member) return refuse(connection, no_seat(self, options_.expected));
  const Status status = free_seat(connection, *member);
  if (!status) return refuse(connection, status.error());
  advance(connection, DoorEvent::kAdmitted);
  connection.member = *member;
  connection.link.note_heard(now_);
  connection.reader.set_max_body(kMaxRequestBody);
  Seat seat;
  seat.connection = connection.id;
  seat.session = connection.join.session;
  seat.wants_members = connection.join.wants_members;
  seat.description = connection.join.self;
  seat.address = connection.remote_address;
  seat.server_address = connection.local.address;
  return_deadlines_.erase(*member);
  if (self.task == LocalTask{}) lost_nodes_.erase(self.node);
  assembly_.take(*member, std::move(seat));
  doubts_.note_joined(*member, connection.join.acknowledged);
  if (!connection.join.acknowledged.empty() && !doubt_deadline_)
    doubt_deadline_ = now_ + kDoubtPatience;
  Welcome welcome{*member, static_cast<std::uint32_t>(assembly_.size()), ""};
  if (!connection.key.empty())
    welcome.proof = prove_welcome(digests_, connection.key, connection.transcript, welcome);
  send(connection, encode_shared(welcome, Generation{}));
  note_lost_nodes(connection.join.lost);
  prepare_if_complete();
}

// The lead members of these nodes have the time of one who was here and went.
void ServerEngine::note_lost_nodes(const std::vector<NodeIndex>& lost) {
  for (const NodeIndex node : lost) {
    const auto lead = assembly_.find(node, LocalTask{});
    if (!lead || assembly_.seat(*lead).taken || !lost_nodes_.insert(node).second) continue;
    return_deadlines_.emplace(*lead, now_ + kReturnPatience);
  }
}

// Ok when the seat is free, or was made free: the same session comes again, or the one who sat
// there is silent.
Status ServerEngine::free_seat(const Connection& connection, MemberIndex member) {
  const MemberDescription& self = connection.join.self;
  if (phase_ == AssemblyPhase::kCommitted) {
    return failure(ErrorCode::kUnavailable, describe(self) + " comes too late: generation " +
                                                std::to_string(value_of(assembly_.generation())) +
                                                " has begun");
  }
  const Seat& seat = assembly_.seat(member);
  if (!seat.taken) return {};
  Connection& before = *find(seat.connection);
  const bool same_session = seat.session == connection.join.session;
  if (!same_session && !before.link.is_suspect()) {
    return failure(ErrorCode::kInvalidArgument,
                   describe(self) + " comes from " + origin(connection) + ", but " +
                       describe(seat.description) + " came before from " + origin(before) +
                       " and is alive: two processes have the same place");
  }
  advance(before, DoorEvent::kGone);
  end_member(before, Departure::kClosed,
             same_session ? "joined again over a new connection" : "silent, and replaced");
  drop(before);
  return {};
}

void ServerEngine::refuse(Connection& connection, const Error& error) {
  advance(connection, DoorEvent::kRefused);
  note("refused " + origin(connection) + ": " + error.message());
  Refused refused{error.code(), clipped(error.message(), kMaxText), ""};
  if (!connection.key.empty())
    refused.proof = prove_refusal(digests_, connection.key, connection.transcript, refused);
  send(connection, encode_shared(refused, Generation{}));
  drop(connection);
}

std::string ServerEngine::origin(const Connection& connection) const {
  return connection.same_process ? "this process" : connection.remote_address;
}

}  // namespace muster::rendezvous
