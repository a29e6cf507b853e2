#include "rendezvous/approach.h"

#include <utility>

namespace muster::rendezvous {

Approach::Approach(Digests digests, Greeting greeting, Join join, Endpoint server, std::string key)
    : digests_(digests),
      greeting_(std::move(greeting)),
      join_(std::move(join)),
      server_(std::move(server)),
      key_(greeting_.method == AuthenticationMethod::kNone ? "" : std::move(key)),
      transcript_(transcript_of(greeting_, join_, server_)) {}

std::optional<std::string> Approach::payload() const {
  if (greeting_.method != AuthenticationMethod::kMunge) return std::nullopt;
  return encode(CredentialPayload{key_, server_, digests_.sha256(transcript_)});
}

const Join& Approach::prove(std::string credential) {
  if (greeting_.method == AuthenticationMethod::kMunge) join_.proof = std::move(credential);
  if (greeting_.method == AuthenticationMethod::kKey)
    join_.proof = prove_join(digests_, key_, transcript_);
  return join_;
}

bool Approach::is_genuine(const Welcome& welcome) const {
  return is_same(welcome.proof,
                 key_.empty() ? "" : prove_welcome(digests_, key_, transcript_, welcome));
}

bool Approach::is_genuine(const Refused& refused) const {
  return is_same(refused.proof,
                 key_.empty() ? "" : prove_refusal(digests_, key_, transcript_, refused));
}

bool Approach::is_same(const std::string& proof, const std::string& expected) const {
  return proof.size() == expected.size() && digests_.equal_in_constant_time(proof, expected);
}

}  // namespace muster::rendezvous
