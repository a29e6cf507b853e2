// While our own server gathers: is there another coordinator, and is it a genuine one?
#include "rendezvous/member_engine.h"
#include "rendezvous/text.h"

namespace muster::rendezvous {

// A greeting can be said by anybody; so we join the other one, and only its proof counts.
void MemberEngine::try_rival(ConnectionId id, const Greeting& greeting) {
  if (rival_) return dismiss(id, "is looked at later, another coordinator is looked at now");
  rival_ = std::move(candidates_.at(id));
  candidates_.erase(id);
  rival_->since = now_;
  rival_->approach = approach(*rival_, greeting);
  if (const auto payload = rival_->approach->payload()) {
    effects_.push_back(member_effect::EncodeCredential{id, *payload});
  } else {
    send_to_rival(rival_->approach->prove(""));
  }
}

void MemberEngine::answer_rival(const member_event::CredentialEncoded& event) {
  if (!event.credential || event.credential->empty() || event.credential->size() > kMaxProof)
    return drop_rival("could not be asked for want of a credential");
  send_to_rival(rival_->approach->prove(*event.credential));
}

void MemberEngine::send_to_rival(const Join& join) {
  effects_.push_back(
      SendFrame{rival_->connected.connection, encode_shared(Message(join), Generation{})});
}

void MemberEngine::hear_rival(std::string_view bytes) {
  rival_->reader.push(bytes);
  const Result<std::optional<Frame>> frame = rival_->reader.next();
  if (!frame) return drop_rival(frame.error().message());
  if (!*frame) return;
  const Result<Message> message = parse(**frame);
  if (!message) return drop_rival(message.error().message());
  const auto* welcome = std::get_if<Welcome>(&*message);
  const auto* refused = std::get_if<Refused>(&*message);
  const bool is_genuine = (welcome != nullptr && rival_->approach->is_genuine(*welcome)) ||
                          (refused != nullptr && rival_->approach->is_genuine(*refused));
  if (!is_genuine) return drop_rival("could not prove itself");
  effects_.push_back(member_effect::RivalMet{rival_->approach->greeting().epoch});
  drop_rival("");
}

// Closes the connection; it is looked at again after a while.
void MemberEngine::drop_rival(const std::string& why) {
  const Endpoint server = rival_->connected.server;
  avoided_[server] = now_ + (why.empty() ? kRivalAgain : kAvoidAfterBadProof);
  if (!why.empty() && noted_.insert(server).second) note(to_string(server) + " " + why);
  effects_.push_back(CloseConnection{rival_->connected.connection});
  rival_.reset();
}

}  // namespace muster::rendezvous
