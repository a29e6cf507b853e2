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
  if (status && phase_ != MemberPhase::kSearching) return meet_rival(id, *greeting);
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
  chosen_->reader.set_max_body(kMaxReplyBody);
  link_ = Link(now_);
  greeting_ = greeting;
  prove();
}

// We lead, and so does somebody else: our own server decides what follows.
void MemberEngine::meet_rival(ConnectionId id, const Greeting& greeting) {
  effects_.push_back(member_effect::RivalMet{greeting.epoch});
  effects_.push_back(CloseConnection{id});
  candidates_.erase(id);
}

void MemberEngine::prove() {
  join_ = Join{options_.self,        options_.session,       chosen_->connected.nonce,
               acknowledged_.list(), options_.wants_members, ""};
  const Endpoint& server = chosen_->connected.server;
  transcript_ = transcript_of(greeting_, join_, server);
  switch (greeting_.method) {
    case AuthenticationMethod::kNone:
      key_.clear();
      return send_join_with("");
    case AuthenticationMethod::kKey:
      key_ = options_.key;
      return send_join_with(prove_join(digests_, key_, transcript_));
    case AuthenticationMethod::kMunge:
      key_ = chosen_->connected.key;
      const CredentialPayload payload{key_, server, digests_.sha256(transcript_)};
      effects_.push_back(
          member_effect::EncodeCredential{chosen_->connected.connection, encode(payload)});
  }
}

void MemberEngine::send_join(const member_event::CredentialEncoded& event) {
  const bool is_ours = phase_ == MemberPhase::kProving && join_.proof.empty() &&
                       greeting_.method == AuthenticationMethod::kMunge &&
                       chosen_->connected.connection == event.connection;
  if (!is_ours) return;
  if (!event.credential) return leave_phase(MemberPhaseEvent::kHopeless, event.credential.error());
  if (event.credential->empty() || event.credential->size() > kMaxProof) {
    return leave_phase(MemberPhaseEvent::kHopeless,
                       Error(ErrorCode::kLimit, "munge gave a credential of " +
                                                    std::to_string(event.credential->size()) +
                                                    " bytes, not of 1 to 4096"));
  }
  send_join_with(*event.credential);
}

void MemberEngine::send_join_with(std::string proof) {
  join_.proof = std::move(proof);
  send(join_, Generation{});
}

void MemberEngine::take_welcome(const Welcome& welcome) {
  if (!is_genuine(welcome.proof,
                  key_.empty() ? "" : prove_welcome(digests_, key_, transcript_, welcome))) {
    avoid(kAvoidAfterBadProof);
    return leave_phase(MemberPhaseEvent::kDisconnected,
                       Error(ErrorCode::kPermissionDenied,
                             to_string(chosen_->connected.server) + " could not prove itself"));
  }
  was_seated_ = true;
  return_deadline_ = TimePoint::max();
  advance(MemberPhaseEvent::kWelcome);
  link_ = Link(now_);
}

// A refusal that anybody could have written sends us on; only a proven one is final.
void MemberEngine::take_refusal(const Refused& refused) {
  const Error error(refused.code,
                    "refused by " + to_string(chosen_->connected.server) + ": " + refused.reason);
  const std::string expected =
      key_.empty() ? "" : prove_refusal(digests_, key_, transcript_, refused);
  if (is_genuine(refused.proof, expected)) return leave_phase(MemberPhaseEvent::kRefusal, error);
  avoid(kAvoidAfterBadProof);
  leave_phase(MemberPhaseEvent::kDisconnected, error);
}

bool MemberEngine::is_genuine(const std::string& proof, const std::string& expected) const {
  return proof.size() == expected.size() && digests_.equal_in_constant_time(proof, expected);
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
  if (phase_ == MemberPhase::kProving && now_ - chosen_->since >= kWelcomeDeadline) {
    leave_phase(MemberPhaseEvent::kDisconnected,
                Error(ErrorCode::kTimeout, to_string(chosen_->connected.server) +
                                               " did not answer the join within " +
                                               seconds_text(kWelcomeDeadline)));
  }
}

}  // namespace muster::rendezvous
