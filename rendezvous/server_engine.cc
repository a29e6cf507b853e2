#include "rendezvous/server_engine.h"

#include <algorithm>

#include "rendezvous/text.h"

namespace muster::rendezvous {

Status check_options(const ServerEngineOptions& options) {
  const auto bad = [](std::string text) {
    return failure(ErrorCode::kInvalidArgument, std::move(text));
  };
  if (options.expected.empty()) return bad("nobody is expected: give at least one member");
  if (options.expected.size() > kMaxMembers)
    return bad("more than " + std::to_string(kMaxMembers) + " members expected");
  if (options.incarnation.scope.size() > kMaxScope) return bad("scope over 64 characters");
  if (options.method == AuthenticationMethod::kKey && options.key.size() < 16)
    return bad("the key has " + std::to_string(options.key.size()) + " bytes, not at least 16");
  std::set<std::pair<NodeIndex, LocalTask>> places;
  for (const ExpectedMember& member : options.expected) {
    if (!places.emplace(member.node, member.task).second) {
      return bad("node " + std::to_string(value_of(member.node)) + " task " +
                 std::to_string(value_of(member.task)) + " is expected twice");
    }
  }
  return {};
}

ServerEngine::ServerEngine(ServerEngineOptions options, Digests digests, TimePoint now)
    : options_(std::move(options)),
      digests_(digests),
      now_(now),
      begun_(now),
      deadline_(now + options_.assembly_deadline),
      next_progress_(now + options_.progress_interval),
      pulse_(now),
      assembly_(options_.expected, options_.node, options_.last_generation, options_.minimum_nodes),
      doubts_(options_.expected.size()),
      ping_(encode_shared(Ping{}, Generation{})) {
  if (!options_.lost_node) return;
  lost_nodes_.insert(*options_.lost_node);
  if (const auto lead = assembly_.find(*options_.lost_node, LocalTask{}))
    return_deadlines_[*lead] = now + kLostNodePatience;
}

ServerEffects ServerEngine::step(const ServerEvent& event, TimePoint now) {
  now_ = now;
  const Pulse::Beat beat = pulse_.advance(now);
  if (beat.gap > Duration::zero()) forgive_all(beat.gap);
  struct Visitor {
    ServerEngine& engine;
    void operator()(const server_event::Accepted& e) { engine.accept(e); }
    void operator()(const server_event::Received& e) { engine.receive(e); }
    void operator()(const server_event::Disconnected& e) {
      engine.lose(e.connection, Departure::kClosed, e.detail);
    }
    void operator()(const server_event::Stalled& e) {
      engine.lose(e.connection, Departure::kUnacknowledged, e.detail);
    }
    void operator()(const server_event::CredentialDecoded& e) { engine.finish_proof(e); }
    void operator()(const server_event::Tick&) {}
    void operator()(const server_event::SendTo& e) { engine.send_to(e); }
    void operator()(const server_event::SendToAll& e) { engine.send_to_all(e); }
    void operator()(const server_event::Close& e) { engine.close(e.reason); }
    void operator()(const server_event::RivalMet& e) { engine.meet_rival(e); }
    void operator()(const server_event::OutOfDescriptors&) { engine.close_the_silent(); }
  };
  std::visit(Visitor{*this}, event);
  if (beat.due) look_at_links();
  look_at_deadlines();
  return std::exchange(effects_, {});
}

TimePoint ServerEngine::next_deadline() const {
  if (phase_ == AssemblyPhase::kOver) return TimePoint::max();
  if (phase_ == AssemblyPhase::kCommitted) return pulse_.next();
  return std::min({pulse_.next(), deadline_, next_progress_});
}

void ServerEngine::accept(const server_event::Accepted& event) {
  if (phase_ == AssemblyPhase::kOver && !failed_) {
    effects_.push_back(CloseConnection{event.connection});
    return;
  }
  make_room();
  Connection& connection =
      connections_.emplace(event.connection, Connection(event.connection, now_)).first->second;
  // Our own process needs no hurry, and never makes room for strangers.
  if (!event.same_process) greeted_.emplace(now_, event.connection);
  connection.local = event.local;
  connection.remote_address = event.remote_address;
  connection.same_process = event.same_process;
  const auto method = event.same_process ? AuthenticationMethod::kNone : options_.method;
  connection.greeting =
      Greeting{options_.incarnation, options_.node, options_.epoch, method, event.nonce};
  send(connection, encode_shared(connection.greeting, Generation{}));
}

void ServerEngine::receive(const server_event::Received& event) {
  Connection* connection = find(event.connection);
  if (connection == nullptr) return;
  const Duration silence = connection->link.silence(now_);
  if (connection->link.note_heard(now_))
    note(name_of_seat(connection->member) + " speaks again after " + seconds_text(silence));
  connection->reader.push(event.bytes);
  // A frame may end the connection it came on.
  while ((connection = find(event.connection)) != nullptr) {
    const Result<std::optional<Frame>> frame = connection->reader.next();
    if (!frame) return turn_away(*connection, DoorEvent::kGarbage, frame.error().message());
    if (!*frame) return;
    take_frame(event.connection, **frame);
  }
}

void ServerEngine::take_frame(ConnectionId id, const Frame& frame) {
  Connection& connection = *find(id);
  Result<Message> message = parse(frame);
  if (!message) return turn_away(connection, DoorEvent::kGarbage, message.error().message());
  if (auto* join = std::get_if<Join>(&*message)) {
    if (connection.phase != DoorPhase::kGreeted)
      return turn_away(connection, DoorEvent::kJoin, "joins a second time");
    advance(connection, DoorEvent::kJoin);
    connection.join = std::move(*join);
    check_proof(connection);
  } else if (connection.phase != DoorPhase::kMember) {
    turn_away(connection, DoorEvent::kOtherFrame,
              "says \"" + std::string(name_of(*message)) + "\" before it has joined");
  } else {
    advance(connection, DoorEvent::kOtherFrame);
    serve(connection, std::move(*message), frame.generation);
  }
}

void ServerEngine::lose(ConnectionId id, Departure departure, const std::string& detail) {
  Connection* connection = find(id);
  if (connection == nullptr) return;
  if (departure == Departure::kUnacknowledged) effects_.push_back(CloseConnection{id});
  const DoorAction action = advance(*connection, DoorEvent::kGone);
  if (action == DoorAction::kEndMember) end_member(*connection, departure, detail);
  connections_.erase(id);
}

void ServerEngine::send_to(const server_event::SendTo& event) {
  if (event.bytes.size() > kMaxMessage) return note("ignoring a message over 1 MiB");
  if (phase_ != AssemblyPhase::kCommitted || value_of(event.to) >= assembly_.size()) return;
  send_to_seat(event.to, encode_shared(ApplicationMessage{event.bytes}, assembly_.generation()));
}

void ServerEngine::send_to_all(const server_event::SendToAll& event) {
  if (event.bytes.size() > kMaxMessage) return note("ignoring a message over 1 MiB");
  if (phase_ != AssemblyPhase::kCommitted) return;
  send_to_seats(encode_shared(ApplicationMessage{event.bytes}, assembly_.generation()));
}

void ServerEngine::close(const std::string& reason) {
  advance(AssemblyEvent::kClose);
  close_all(ErrorCode::kCancelled, reason);  // also those who came to hear why it failed
}

// One of a later epoch has the role.
void ServerEngine::meet_rival(const server_event::RivalMet& event) {
  const bool is_open = phase_ == AssemblyPhase::kAssembling || phase_ == AssemblyPhase::kPreparing;
  if (!is_open || event.epoch <= options_.epoch) return;
  advance(AssemblyEvent::kYield);
  note("node " + std::to_string(value_of(options_.node)) +
       " gives the role of coordinator back: another node has it");
  for (const auto& [id, connection] : connections_) effects_.push_back(CloseConnection{id});
  connections_.clear();
  greeted_.clear();
  proving_ = 0;
  effects_.push_back(server_effect::Yielded{});
}

// Descriptors are needed more than those who have been asked who they are and keep silent.
void ServerEngine::close_the_silent() {
  while (!greeted_.empty() && now_ - greeted_.begin()->first >= kSilenceWhenCrowded)
    turn_away(*find(greeted_.begin()->second), DoorEvent::kLate,
              "said nothing, and its descriptor is needed");
}

// The loop stood still, so everybody's words lie unread: a fresh period for all, and nobody pays
// for the lost time with the assembly's deadline.
void ServerEngine::forgive_all(Duration gap) {
  greeted_.clear();
  for (auto& [id, connection] : connections_) {
    connection.link.forgive(now_);
    connection.accepted = now_;
    if (connection.phase == DoorPhase::kGreeted && !connection.same_process)
      greeted_.emplace(now_, id);
  }
  deadline_ += gap;
  for (auto& [member, returns_by] : return_deadlines_) returns_by += gap;
  if (last_call_) *last_call_ += gap;
  if (doubt_deadline_) *doubt_deadline_ += gap;
  next_progress_ += gap;
  note("this process stood still for " + seconds_text(gap) + "; nobody is judged for it");
}

void ServerEngine::look_at_links() {
  while (!greeted_.empty() && now_ - greeted_.begin()->first >= kProofDeadline) {
    turn_away(*find(greeted_.begin()->second), DoorEvent::kLate,
              "said nothing within " + seconds_text(kProofDeadline));
  }
  for (auto& [id, connection] : connections_) {
    if (connection.phase != DoorPhase::kMember) continue;
    // Not to one who does not read: hours of pings would fill its window, and TCP_USER_TIMEOUT ends
    // a connection that stays full although the peer's kernel answers.
    if (connection.link.wants_ping(now_) && !connection.link.is_suspect()) send(connection, ping_);
    const auto silence =
        connection.link.check(now_, options_.suspect_after, options_.progress_interval);
    if (!silence) continue;
    if (phase_ == AssemblyPhase::kCommitted) {
      effects_.push_back(server_effect::MemberSuspect{connection.member, *silence});
    } else {
      note(name_of_seat(connection.member) + " has joined and is silent for " +
           seconds_text(*silence));
    }
  }
}

void ServerEngine::look_at_deadlines() {
  const auto is_open = [this] {
    return phase_ == AssemblyPhase::kAssembling || phase_ == AssemblyPhase::kPreparing;
  };
  if (!is_open()) return;
  if (now_ >= deadline_) return fail(Error(ErrorCode::kTimeout, missing_text()));
  look_at_returns();
  if (is_open()) look_at_last_call();
  if (!is_open() || now_ < next_progress_) return;
  next_progress_ = now_ + options_.progress_interval;
  effects_.push_back(server_effect::AssemblyProgress{
      assembly_.missing(), std::chrono::duration_cast<Duration>(now_ - begun_)});
}

// Those who did not come back in time are given up; the world may be complete or hopeless by that.
void ServerEngine::look_at_returns() {
  std::vector<MemberIndex> late;
  for (const auto& [member, returns_by] : return_deadlines_)
    if (now_ >= returns_by) late.push_back(member);
  for (const MemberIndex member : late) {
    const std::string text = given_up_text(member);
    return_deadlines_.erase(member);
    assembly_.give_up(member);
    if (assembly_.attendance().is_hopeless()) return fail(Error(ErrorCode::kUnavailable, text));
    note(text);
  }
  if (doubt_deadline_ && now_ >= *doubt_deadline_) {
    doubt_deadline_.reset();
    if (is_in_doubt())
      return fail(
          Error(ErrorCode::kUnavailable,
                "an earlier coordinator was lost while it completed the roster, and whether "
                "that roster is in force cannot be told any more"));
  }
  if (!late.empty()) prepare_if_complete();
}

// Only where the application does with fewer nodes: the rest has had its time.
void ServerEngine::look_at_last_call() {
  if (phase_ != AssemblyPhase::kAssembling || !assembly_.attendance().is_enough()) {
    last_call_.reset();
    return;
  }
  if (!last_call_) last_call_ = std::min(now_ + options_.last_call, deadline_ - kReturnPatience);
  if (now_ < *last_call_) return;
  note("doing without those who have not come: " +
       fold_members(assembly_.missing(), assembly_.expected()));
  assembly_.give_up_absent();
  prepare_if_complete();
}

void ServerEngine::send(Connection& connection, FrameBytes bytes) {
  connection.link.note_sent(now_);
  effects_.push_back(SendFrame{connection.id, std::move(bytes)});
}

void ServerEngine::send_to_seat(MemberIndex member, const FrameBytes& bytes) {
  const Seat& seat = assembly_.seat(member);
  if (seat.taken) send(*find(seat.connection), bytes);
}

void ServerEngine::send_to_seats(const FrameBytes& bytes) {
  for (std::size_t i = 0; i < assembly_.size(); ++i)
    send_to_seat(MemberIndex{static_cast<std::uint32_t>(i)}, bytes);
}

// Ours to end: what is queued goes out, and nothing about it is heard again.
void ServerEngine::drop(Connection& connection) {
  effects_.push_back(CloseConnection{connection.id});
  connections_.erase(connection.id);
}

ServerEngine::Connection* ServerEngine::find(ConnectionId id) {
  const auto entry = connections_.find(id);
  return entry == connections_.end() ? nullptr : &entry->second;
}

}  // namespace muster::rendezvous
