#include "rendezvous/member_engine.h"

#include <algorithm>

#include "rendezvous/generation.h"
#include "rendezvous/text.h"

namespace muster::rendezvous {

Status check_options(const MemberEngineOptions& options) {
  const auto bad = [](std::string text) {
    return failure(ErrorCode::kInvalidArgument, std::move(text));
  };
  if (options.incarnation.scope.size() > kMaxScope) return bad("scope over 64 characters");
  if (options.self.host.size() > kMaxHost) return bad("host name over 255 characters");
  if (options.self.facts.size() > kMaxFacts)
    return bad("facts of " + std::to_string(options.self.facts.size()) + " bytes, over 64 KiB");
  if (options.successors.empty() || options.successors.size() > kMaxSuccessors)
    return bad("give 1 to 8 nodes where the coordinator may run");
  if (options.place && *options.place >= options.successors.size())
    return bad("the place among the successors is not one of theirs");
  if (options.session.size() != kSessionSize) return bad("the session's id must have 16 bytes");
  if (options.method == AuthenticationMethod::kKey && options.key.size() < 16)
    return bad("the key has " + std::to_string(options.key.size()) + " bytes, not at least 16");
  return {};
}

MemberEngine::MemberEngine(MemberEngineOptions options, Digests digests, TimePoint now)
    : options_(std::move(options)),
      digests_(digests),
      now_(now),
      deadline_(now + options_.deadline),
      pulse_(now),
      succession_(options_.place, now),
      sightings_(options_.successors.size()),
      searching_since_(now),
      link_(now) {}

MemberEffects MemberEngine::begin() {
  look_at_succession();
  wish_search();
  return std::exchange(effects_, {});
}

MemberEffects MemberEngine::step(const MemberEvent& event, TimePoint now) {
  now_ = now;
  const Pulse::Beat beat = pulse_.advance(now);
  if (beat.gap > Duration::zero()) forgive(beat.gap);
  struct Visitor {
    MemberEngine& engine;
    void operator()(const member_event::Connected& e) { engine.consider(e); }
    void operator()(const member_event::Received& e) { engine.receive(e); }
    void operator()(const member_event::Disconnected& e) { engine.lose(e.connection, e.detail); }
    void operator()(const member_event::SearchedRound& e) { engine.note_round(e); }
    void operator()(const member_event::Stalled& e) {
      engine.note_stalled(e.connection);
      engine.effects_.push_back(CloseConnection{e.connection});
      engine.lose(e.connection, e.detail);
    }
    void operator()(const member_event::CredentialEncoded& e) { engine.send_join(e); }
    void operator()(const member_event::SearchFailed& e) {
      if (engine.phase_ == MemberPhase::kSearching)
        engine.leave_phase(MemberPhaseEvent::kHopeless, e.error);
    }
    void operator()(const member_event::Tick&) {}
    void operator()(const member_event::Send& e) { engine.send_application(e); }
    void operator()(const member_event::Start& e) { engine.start(e); }
    void operator()(const member_event::LeaveMeeting& e) { engine.leave(e.timeout); }
  };
  std::visit(Visitor{*this}, event);
  if (beat.due && phase_ != MemberPhase::kOver) {
    look_at_candidates();
    look_at_link();
    look_at_succession();
  }
  look_at_deadlines();
  wish_search();
  return std::exchange(effects_, {});
}

TimePoint MemberEngine::next_deadline() const {
  if (phase_ == MemberPhase::kOver) return TimePoint::max();
  TimePoint next = std::min({pulse_.next(), operations_.next_deadline(), leave_deadline_});
  if (is_joining()) next = std::min({next, deadline_, return_deadline_});
  return next;
}

MemberAction MemberEngine::advance(MemberPhaseEvent event) {
  const MemberTransition& transition = find_transition(kMemberTable, phase_, event);
  MUSTER_CHECK(transition.action != MemberAction::kImpossible);
  phase_ = transition.to;
  wish_search();
  return transition.action;
}

void MemberEngine::leave_phase(MemberPhaseEvent event, const Error& error) {
  switch (advance(event)) {
    case MemberAction::kSearchAgain:
      return search_again(error);
    case MemberAction::kEnd:
      return end(error);
    case MemberAction::kFinishLeave:
      return finish_leave({});
    case MemberAction::kTimeOutLeave:
      return finish_leave(failure(error));
    default:
      return;
  }
}

void MemberEngine::receive(const member_event::Received& event) {
  if (rival_ && rival_->connected.connection == event.connection) return hear_rival(event.bytes);
  if (!chosen_ || chosen_->connected.connection != event.connection)
    return hear_candidate(event.connection, event.bytes);
  link_.note_heard(now_);
  set_silent(false);
  chosen_->reader.push(event.bytes);
  // A frame may end the connection it came on.
  while (chosen_ && chosen_->connected.connection == event.connection) {
    const Result<std::optional<Frame>> frame = chosen_->reader.next();
    if (!frame) return leave_phase(MemberPhaseEvent::kDisconnected, frame.error());
    if (!*frame) return;
    take_frame(**frame);
  }
}

void MemberEngine::take_frame(const Frame& frame) {
  Result<Message> message = parse(frame);
  if (!message) return leave_phase(MemberPhaseEvent::kDisconnected, message.error());
  if (auto* list = std::get_if<Members>(&*message))
    return take_members(std::move(*list), digests_.sha256(frame.body), frame.generation);
  take_message(*message, frame.generation);
}

// Maps what was said to the phase's event. What is not expected now, ends the connection.
void MemberEngine::take_message(const Message& message, Generation generation) {
  const bool is_seated = phase_ == MemberPhase::kJoined || phase_ == MemberPhase::kPrepared;
  const auto* welcome = std::get_if<Welcome>(&message);
  const auto* refused = std::get_if<Refused>(&message);
  const auto* prepare = std::get_if<Prepare>(&message);
  const auto* closing = std::get_if<Closing>(&message);
  const Error out_of_turn(
      ErrorCode::kProtocol,
      "the coordinator says \"" + std::string(name_of(message)) + "\" out of turn");
  if (std::holds_alternative<Ping>(message)) return;
  if (phase_ == MemberPhase::kProving && welcome != nullptr) return take_welcome(*welcome);
  if (phase_ == MemberPhase::kProving && refused != nullptr) return take_refusal(*refused);
  if (phase_ != MemberPhase::kProving && closing != nullptr) {
    closed_by_coordinator_ = true;
    return leave_phase(MemberPhaseEvent::kClosing, Error(closing->code, closing->reason));
  }
  if (phase_ == MemberPhase::kLeaving) {  // other answers: nobody waits for them any more
    if (std::holds_alternative<Left>(message)) leave_phase(MemberPhaseEvent::kLeft, out_of_turn);
    return;
  }
  if (generation < generation_) return;  // of a membership that is over
  const bool is_its_own = epoch_of(generation) == epoch_;
  if (is_seated && prepare != nullptr && generation > generation_ && is_its_own)
    return take_prepare(*prepare, generation);
  if (phase_ == MemberPhase::kPrepared && std::holds_alternative<Commit>(message) &&
      generation == generation_ && holds_roster()) {
    return take_roster();
  }
  if (phase_ == MemberPhase::kCommitted && generation == generation_ && serve(message)) return;
  leave_phase(MemberPhaseEvent::kDisconnected, out_of_turn);
}

bool MemberEngine::serve(const Message& message) {
  if (const auto* application = std::get_if<ApplicationMessage>(&message)) {
    effects_.push_back(member_effect::MessageArrived{application->bytes});
    return true;
  }
  Operations::Outcome outcome;
  const bool was_answer = operations_.accept(message, outcome);
  carry_out(std::move(outcome));
  return was_answer;
}

void MemberEngine::take_prepare(const Prepare& prepare, Generation generation) {
  advance(MemberPhaseEvent::kPrepare);
  generation_ = generation;
  seats_ = prepare.seats;
  roster_ = {generation, prepare.coordinator_address, {}, prepare.members, prepare.digest};
  if (holds_roster()) acknowledge();
}

// Comes after its prepare, and is acknowledged only when it is the very list of that prepare.
void MemberEngine::take_members(Members list, const std::string& digest, Generation generation) {
  if (phase_ == MemberPhase::kLeaving || generation < generation_) return;
  const bool is_expected =
      phase_ == MemberPhase::kPrepared && generation == generation_ && !holds_roster();
  if (!is_expected || digest != roster_.digest || list.members.size() != roster_.size) {
    return leave_phase(MemberPhaseEvent::kDisconnected,
                       Error(ErrorCode::kProtocol, is_expected ? "another list than was prepared"
                                                               : "a list nobody asked for"));
  }
  roster_.members = std::move(list.members);
  acknowledge();
}

void MemberEngine::acknowledge() {
  acknowledged_.note({generation_, seats_});
  send(Ack{}, generation_);
}

void MemberEngine::take_roster() {
  advance(MemberPhaseEvent::kCommit);
  operations_.set_size(roster_.size);
  for (std::string& bytes : early_) send(ApplicationMessage{std::move(bytes)}, generation_);
  early_.clear();
  drop_candidates();
  const member_event::Connected& ends = chosen_->connected;
  effects_.push_back(member_effect::RosterCommitted{std::exchange(roster_, {}), ends.connection,
                                                    ends.local_address, ends.server.address});
}

// The shell has forgotten the connection already.
void MemberEngine::lose(ConnectionId id, const std::string& detail) {
  if (rival_ && rival_->connected.connection == id) return rival_.reset();
  if (const auto entry = candidates_.find(id); entry != candidates_.end()) {
    const member_event::Connected& connected = entry->second.connected;
    sightings_.note_broken_off(connected.place, connected.server);
    candidates_.erase(entry);
    return;
  }
  if (!chosen_ || chosen_->connected.connection != id) return;
  const Error error(ErrorCode::kUnavailable, "the connection to the coordinator at " +
                                                 to_string(chosen_->connected.server) +
                                                 " is lost: " + detail);
  avoid(kAvoidAfterLoss);
  chosen_.reset();
  leave_phase(MemberPhaseEvent::kDisconnected, error);
}

// A kernel that does not answer: it says nothing of those who had not spoken.
void MemberEngine::note_stalled(ConnectionId id) {
  candidates_.erase(id);
  const bool is_chosen = chosen_ && chosen_->connected.connection == id;
  if (is_chosen && !leads_) sightings_.note_gone(epoch_);
}

void MemberEngine::note_round(const member_event::SearchedRound& event) {
  sightings_.note_round(event.closed, event.shut);
  if (sightings_.is_gone(0)) succession_.note_broken_off(now_);
  look_at_succession();
}

void MemberEngine::search_again(const Error& error) {
  last_reason_ = error.message();
  if (leads_) {
    succession_.note_gave_back(now_);
    avoided_.clear();  // the one we gave it to was left alone for a while
  } else if (was_seated_) {
    succession_.note_lost(epoch_, now_);
    sightings_.note_gone(epoch_);
  } else if (epoch_ == 0 && !was_refused_) {
    succession_.note_broken_off(now_);
  }
  sees_all_ = true;
  if (was_seated_) return_deadline_ = now_ + kFollowPatience;
  was_seated_ = false;
  leads_ = false;
  searching_since_ = now_;
  note(error.message() + "; searching again");
  if (chosen_) avoid(kAvoidAfterLoss);
  set_silent(false);
  drop_connections();
  generation_ = Generation{};
}

void MemberEngine::end(const Error& error) {
  carry_out(operations_.fail_all(error));
  drop_connections();
  effects_.push_back(member_effect::Closed{error, closed_by_coordinator_});
}

void MemberEngine::send_application(const member_event::Send& event) {
  if (event.bytes.size() > kMaxMessage) return note("ignoring a message over 1 MiB");
  if (phase_ == MemberPhase::kCommitted) return send(ApplicationMessage{event.bytes}, generation_);
  if (phase_ == MemberPhase::kLeaving || phase_ == MemberPhase::kOver) return;
  if (early_bytes_ + event.bytes.size() > kMaxEarlyBytes)
    return note("ignoring a message: 4 MiB wait for the roster already");
  early_bytes_ += event.bytes.size();
  early_.push_back(event.bytes);
}

void MemberEngine::start(const member_event::Start& event) {
  carry_out(operations_.start(event.request, event.operation, event.timeout, now_));
}

void MemberEngine::carry_out(Operations::Outcome outcome) {
  for (const Message& message : outcome.send) send(message, generation_);
  for (auto& completed : outcome.completed) effects_.push_back(std::move(completed));
}

void MemberEngine::leave(Duration timeout) {
  if (phase_ == MemberPhase::kOver) {
    effects_.push_back(
        member_effect::LeftMeeting{failure(ErrorCode::kUnavailable, "the session is over")});
    return;
  }
  switch (advance(MemberPhaseEvent::kLeave)) {
    case MemberAction::kFinishLeave:
      return finish_leave({});
    case MemberAction::kSayGoodbye:
      carry_out(operations_.fail_all(Error(ErrorCode::kCancelled, "the session leaves")));
      leave_deadline_ = now_ + timeout;
      return send(Leave{}, generation_);
    default:
      return;
  }
}

void MemberEngine::finish_leave(Status status) {
  drop_connections();
  effects_.push_back(member_effect::LeftMeeting{std::move(status)});
}

// As on the server's side: unread words are no silence, and lost time no delay of ours.
void MemberEngine::forgive(Duration gap) {
  link_.forgive(now_);
  for (auto& [id, candidate] : candidates_) candidate.since = now_;
  if (rival_) rival_->since = now_;
  if (chosen_) chosen_->since = now_;
  deadline_ += gap;
  if (return_deadline_ != TimePoint::max()) return_deadline_ += gap;
  searching_since_ += gap;
  succession_.forgive(gap);
}

void MemberEngine::look_at_succession() {
  if (phase_ != MemberPhase::kSearching || taking_role_ || !options_.place) return;
  const std::uint32_t place = *options_.place;
  if (now_ < succession_.due(sightings_.closed_before(place))) return;
  taking_role_ = true;
  member_effect::TakeRole role{place, std::nullopt};
  if (const auto lost = sightings_.newest_gone_before(place))
    role.lost_node = options_.successors[*lost];
  effects_.push_back(role);
  wish_search();
}

// Tells the shell when what it should look for has changed.
void MemberEngine::wish_search() {
  std::optional<bool> wish;
  const bool is_gathering = phase_ == MemberPhase::kJoined || phase_ == MemberPhase::kPrepared;
  if (phase_ == MemberPhase::kSearching && !taking_role_) {
    wish = options_.successors.size() > 1 &&
           (sees_all_ || now_ - searching_since_ >= kFirstSuccessorAlone);
  } else if (is_gathering && leads_ && options_.successors.size() > 1 && chosen_ &&
             now_ - chosen_->since >= kRivalsAfter) {
    wish = true;
  }
  if (wish == searches_) return;
  searches_ = wish;
  if (wish) {
    effects_.push_back(member_effect::Search{*wish});
  } else {
    effects_.push_back(member_effect::StopSearch{});
  }
}

void MemberEngine::look_at_link() {
  const bool is_joined = chosen_ && phase_ != MemberPhase::kProving;
  if (!is_joined) return;
  if (link_.wants_ping(now_)) send(Ping{}, Generation{});
  if (link_.check(now_, options_.silent_after, options_.silent_after)) set_silent(true);
}

void MemberEngine::look_at_deadlines() {
  if (phase_ == MemberPhase::kOver) return;
  carry_out(operations_.expire(now_));
  if (phase_ == MemberPhase::kLeaving) {
    if (now_ < leave_deadline_) return;
    return leave_phase(MemberPhaseEvent::kLeaveDeadline,
                       Error(ErrorCode::kTimeout, "leave: the coordinator did not answer"));
  }
  if (is_joining() && now_ >= std::min(deadline_, return_deadline_))
    leave_phase(MemberPhaseEvent::kHopeless, too_late());
}

bool MemberEngine::is_joining() const {
  return phase_ != MemberPhase::kCommitted && phase_ != MemberPhase::kLeaving;
}

Error MemberEngine::too_late() const {
  const bool was_taken_in = now_ >= return_deadline_;
  const std::string within =
      " within " + seconds_text(was_taken_in ? kFollowPatience : options_.deadline);
  if (phase_ == MemberPhase::kJoined || phase_ == MemberPhase::kPrepared)
    return Error(ErrorCode::kTimeout, "joined, but the roster was not complete" + within);
  const std::string where =
      searches_ == true ? "the first " + std::to_string(options_.successors.size()) + " nodes"
                        : "node " + std::to_string(value_of(options_.successors.front()));
  const std::string what = phase_ == MemberPhase::kProving
                               ? "the coordinator did not take us in"
                               : "no coordinator on " + where + " was found";
  const std::string last = last_reason_.empty() ? "" : "; the last try: " + last_reason_;
  return Error(ErrorCode::kTimeout, what + within + last);
}

void MemberEngine::set_silent(bool silent) {
  if (silent == silent_) return;
  silent_ = silent;
  effects_.push_back(member_effect::CoordinatorSilent{silent});
}

void MemberEngine::drop_connections() {
  drop_candidates();
  if (chosen_) effects_.push_back(CloseConnection{chosen_->connected.connection});
  chosen_.reset();
}

void MemberEngine::drop_candidates() {
  for (const auto& [id, candidate] : candidates_) effects_.push_back(CloseConnection{id});
  candidates_.clear();
  if (rival_) effects_.push_back(CloseConnection{rival_->connected.connection});
  rival_.reset();
}

void MemberEngine::send(const Message& message, Generation generation) {
  link_.note_sent(now_);
  effects_.push_back(SendFrame{chosen_->connected.connection, encode_shared(message, generation)});
}

}  // namespace muster::rendezvous
