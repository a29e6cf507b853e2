// From the search to the welcome: candidates, proof.
#include <algorithm>

#include "rendezvous/member_engine.h"
#include "rendezvous/text.h"

namespace muster::rendezvous {

void MemberEngine::consider(const member_event::Connected& event) {
  const bool is_gathering = phase_ == MemberPhase::kJoined || phase_ == MemberPhase::kPrepared;
  if (phase_ != MemberPhase::kSearching && !(is_gathering && leads_)) {
    effects_.push_back(CloseConnection{event.connection});
    return;
  }
  sightings_.note_open(event.place);
  candidates_.emplace(event.connection, Candidate{event, now_});
}

void MemberEngine::hear_candidate(ConnectionId id, std::string_view bytes) {
  const auto entry = candidates_.find(id);
  if (entry == candidates_.end()) return;
  Candidate& candidate = entry->second;
  candidate.reader.push(bytes);
  const Result<std::optional<Frame>> frame = candidate.reader.next();
  if (!frame) return dismiss(id, "is not a server of ours: " + frame.error().message());
  if (!*frame) return;
  const Result<Message> message = parse(**frame);
  if (!message) return dismiss(id, "is not a server of ours: " + message.error().message());
  const auto* greeting = std::get_if<Greeting>(&*message);
  if (greeting == nullptr) return dismiss(id, "does not greet");
  const Status status = judge(candidate, *greeting);
  if (status && phase_ != MemberPhase::kSearching) {
    if (greeting->epoch > *options_.place) return try_rival(id, *greeting);
    return dismiss(id, "leads an older epoch than this process");
  }
  if (!status) return dismiss(id, status.error().message());
  choose(id, *greeting);
}

// Whether the greeting is our coordinator's; costs no proof.
Status MemberEngine::judge(const Candidate& candidate, const Greeting& greeting) const {
  const auto bad = [](std::string text) {
    return failure(ErrorCode::kUnavailable, std::move(text));
  };
  if (greeting.incarnation != options_.incarnation)
    return bad("serves " + to_string(greeting.incarnation));
  const std::vector<NodeIndex>& successors = options_.successors;
  if (greeting.epoch >= successors.size() || successors[greeting.epoch] != greeting.node) {
    const auto place = std::min<std::size_t>(greeting.epoch, successors.size() - 1);
    return bad("runs on node " + std::to_string(value_of(greeting.node)) + ", not on node " +
               std::to_string(value_of(successors[place])));
  }
  const bool same_process = candidate.connected.same_process;
  if (!same_process && greeting.epoch == options_.place) return bad("says it is this process");
  if (!same_process && taking_role_) return bad("comes while this process takes the role");
  if (greeting.epoch < acknowledged_.promised_epoch())
    return bad("is an older coordinator than one whose roster was acknowledged");
  const auto method = same_process ? AuthenticationMethod::kNone : options_.method;
  if (greeting.method != method) return bad("asks for another kind of proof than ours");
  const auto avoided = avoided_.find(candidate.connected.server);
  if (avoided != avoided_.end() && now_ < avoided->second) return bad("is left alone for a while");
  return {};
}

void MemberEngine::dismiss(ConnectionId id, const std::string& why) {
  const auto entry = candidates_.find(id);
  const Endpoint server = entry->second.connected.server;
  const std::string reason = to_string(server) + " " + why;
  // Why it is left alone is the better reason, and is known already.
  if (avoided_.find(server) == avoided_.end()) last_reason_ = reason;
  if (noted_.insert(server).second) note(reason);
  effects_.push_back(CloseConnection{id});
  candidates_.erase(entry);
}

void MemberEngine::choose(ConnectionId id, const Greeting& greeting) {
  advance(MemberPhaseEvent::kFit);
  taking_role_ = false;
  leads_ = candidates_.at(id).connected.same_process;
  const auto entry = candidates_.find(id);
  chosen_ = std::move(entry->second);
  candidates_.erase(entry);
  for (const auto& [other, candidate] : candidates_) effects_.push_back(CloseConnection{other});
  candidates_.clear();
  chosen_->since = now_;
  epoch_ = greeting.epoch;
  sightings_.note_greeting(epoch_, chosen_->connected.server);
  was_refused_ = false;
  chosen_->reader.set_max_body(kMaxReplyBody);
  link_ = Link(now_);
  chosen_->approach = approach(*chosen_, greeting);
  if (const auto payload = chosen_->approach->payload()) {
    effects_.push_back(member_effect::EncodeCredential{id, *payload});
  } else {
    send(chosen_->approach->prove(""), Generation{});
  }
}

Approach MemberEngine::approach(const Candidate& candidate, const Greeting& greeting) const {
  std::vector<NodeIndex> lost;
  for (const std::uint32_t place : sightings_.gone()) lost.push_back(options_.successors[place]);
  const Join join{options_.self,
                  options_.session,
                  candidate.connected.nonce,
                  acknowledged_.list(),
                  std::move(lost),
                  options_.wants_members,
                  ""};
  const bool is_munge = greeting.method == AuthenticationMethod::kMunge;
  return {digests_, greeting, join, candidate.connected.server,
          is_munge ? candidate.connected.key : options_.key};
}

void MemberEngine::send_join(const member_event::CredentialEncoded& event) {
  if (rival_ && rival_->connected.connection == event.connection) return answer_rival(event);
  const bool is_ours = phase_ == MemberPhase::kProving &&
                       chosen_->connected.connection == event.connection &&
                       chosen_->approach->waits_for_credential();
  if (!is_ours) return;
  if (!event.credential) return leave_phase(MemberPhaseEvent::kHopeless, event.credential.error());
  if (event.credential->empty() || event.credential->size() > kMaxProof) {
    return leave_phase(MemberPhaseEvent::kHopeless,
                       Error(ErrorCode::kLimit, "munge gave a credential of " +
                                                    std::to_string(event.credential->size()) +
                                                    " bytes, not of 1 to 4096"));
  }
  send(chosen_->approach->prove(*event.credential), Generation{});
}

void MemberEngine::take_welcome(const Welcome& welcome) {
  if (!chosen_->approach->is_genuine(welcome)) {
    avoid(kAvoidAfterBadProof);
    return leave_phase(MemberPhaseEvent::kDisconnected,
                       Error(ErrorCode::kPermissionDenied,
                             to_string(chosen_->connected.server) + " could not prove itself"));
  }
  was_seated_ = true;
  sightings_.note_followed(epoch_);
  return_deadline_ = TimePoint::max();
  advance(MemberPhaseEvent::kWelcome);
  link_ = Link(now_);
}

// A refusal that anybody could have written sends us on; only a proven one is final.
void MemberEngine::take_refusal(const Refused& refused) {
  const Error error(refused.code,
                    "refused by " + to_string(chosen_->connected.server) + ": " + refused.reason);
  if (chosen_->approach->is_genuine(refused)) return leave_phase(MemberPhaseEvent::kRefusal, error);
  was_refused_ = true;
  avoid(kAvoidAfterBadProof);
  leave_phase(MemberPhaseEvent::kDisconnected, error);
}

void MemberEngine::avoid(Duration duration) {
  if (chosen_->connected.same_process) return;
  TimePoint& until = avoided_[chosen_->connected.server];
  until = std::max(until, now_ + duration);
}

void MemberEngine::look_at_candidates() {
  std::vector<ConnectionId> late;
  for (const auto& [id, candidate] : candidates_)
    if (now_ - candidate.since >= kGreetingDeadline) late.push_back(id);
  for (const ConnectionId id : late)
    dismiss(id, "did not greet within " + seconds_text(kGreetingDeadline));
  if (rival_ && now_ - rival_->since >= kWelcomeDeadline) drop_rival("did not answer the join");
  if (phase_ == MemberPhase::kProving && now_ - chosen_->since >= kWelcomeDeadline) {
    leave_phase(MemberPhaseEvent::kDisconnected,
                Error(ErrorCode::kTimeout, to_string(chosen_->connected.server) +
                                               " did not answer the join within " +
                                               seconds_text(kWelcomeDeadline)));
  }
}

}  // namespace muster::rendezvous
