// Handshake: what proves a joiner to the server and the server to the joiner. Pure.
//
// Both proofs cover one transcript: the greeting, the join without its proof, and the server's
// address and port as the joiner connected to them. A proof made for one connection is therefore of
// no use on another: nonces refuse replays, the address refuses a relay in the middle.
//
//   key    joiner: HMAC(key, "muster join 1" + transcript); server: the same with the role words
//          "muster welcome 1" or "muster refused 1" + code + reason
//   munge  joiner: a credential, restricted to the job's uid, around CredentialPayload, whose
//          `key` is fresh; server: HMAC with that key, role words as above
//   none   all proofs are empty
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "rendezvous/base/result.h"
#include "rendezvous/messages.h"

namespace muster::rendezvous {

inline constexpr std::size_t kDigestSize = 32;

// The three functions of hmac.h, given by the shell (or by a test that wants cheap ones).
struct Digests {
  std::string (*hmac_sha256)(std::string_view key, std::string_view bytes) = nullptr;
  std::string (*sha256)(std::string_view bytes) = nullptr;
  bool (*equal_in_constant_time)(std::string_view a, std::string_view b) = nullptr;
};

// The server's end of a connection: numeric address without zone, an IPv4-mapped one written as
// IPv4. Both are empty for a connection inside one process.
struct Endpoint {
  std::string address;
  std::uint16_t port = 0;

  bool operator==(const Endpoint&) const = default;
  bool operator<(const Endpoint& other) const {
    return address != other.address ? address < other.address : port < other.port;
  }
};

// "10.0.0.1:12007", "[fe80::1]:12007"; "this process" when empty.
std::string to_string(const Endpoint& endpoint);

std::string transcript_of(const Greeting& greeting, const Join& join, const Endpoint& server);

// What a munge credential carries. All of it is compared by the server.
struct CredentialPayload {
  std::string key;     // kDigestSize fresh bytes
  Endpoint server;     // as the joiner connected to it
  std::string digest;  // sha256 of the transcript

  bool operator==(const CredentialPayload&) const = default;
};

std::string encode(const CredentialPayload& payload);
Result<CredentialPayload> parse_credential_payload(std::string_view bytes);

// The proofs. `key` is the shared one or the credential's.
std::string prove_join(const Digests& digests, std::string_view key, std::string_view transcript);
std::string prove_welcome(const Digests& digests, std::string_view key, std::string_view transcript,
                          const Welcome& welcome);
std::string prove_refusal(const Digests& digests, std::string_view key, std::string_view transcript,
                          const Refused& refused);

// Ok, or kPermissionDenied with the difference: another server's address (a relay), another
// conversation (a replay).
Status check_credential(const Digests& digests, const CredentialPayload& payload,
                        const Endpoint& server, std::string_view transcript);

}  // namespace muster::rendezvous
