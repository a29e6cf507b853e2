// Approach: a member's half of the proof on one connection, from the greeting to the answer. Pure.
#pragma once

#include <optional>
#include <string>

#include "rendezvous/handshake.h"
#include "rendezvous/messages.h"

namespace muster::rendezvous {

class Approach {
 public:
  // `join` lacks its proof. `key` is the shared one, or the fresh one for this credential.
  Approach(Digests digests, Greeting greeting, Join join, Endpoint server, std::string key);

  const Greeting& greeting() const { return greeting_; }

  // What munge must wrap first; nothing when the join can be said at once.
  std::optional<std::string> payload() const;
  bool waits_for_credential() const { return payload() && join_.proof.empty(); }
  // The join with its proof: `credential` with munge, else ignored.
  const Join& prove(std::string credential);

  // Whether the answer comes from one who could read our proof. With no authentication: always.
  bool is_genuine(const Welcome& welcome) const;
  bool is_genuine(const Refused& refused) const;

 private:
  bool is_same(const std::string& proof, const std::string& expected) const;

  Digests digests_;
  Greeting greeting_;
  Join join_;
  Endpoint server_;
  std::string key_;
  std::string transcript_;
};

}  // namespace muster::rendezvous
