#include "rendezvous/handshake.h"

#include "rendezvous/base/bytes.h"

namespace muster::rendezvous {

namespace {

constexpr std::string_view kPayloadMagic = "muster credential 1";

// Every part with its length, so that no two lists of parts give the same bytes.
std::string joined(std::string_view role, std::string_view transcript, std::string_view rest) {
  ByteWriter writer;
  writer.string(role).string(transcript).raw(rest);
  return writer.take();
}

}  // namespace

std::string to_string(const Endpoint& endpoint) {
  if (endpoint.address.empty()) return "this process";
  const bool is_v6 = endpoint.address.find(':') != std::string::npos;
  const std::string address = is_v6 ? "[" + endpoint.address + "]" : endpoint.address;
  return address + ":" + std::to_string(endpoint.port);
}

std::string transcript_of(const Greeting& greeting, const Join& join, const Endpoint& server) {
  ByteWriter writer;
  writer.string(encode_body_for_proof(greeting)).string(encode_body_for_proof(join));
  writer.string(server.address).u16(server.port);
  return writer.take();
}

std::string encode(const CredentialPayload& payload) {
  ByteWriter writer;
  writer.string(kPayloadMagic).string(payload.key).string(payload.server.address);
  writer.u16(payload.server.port).string(payload.digest);
  return writer.take();
}

Result<CredentialPayload> parse_credential_payload(std::string_view bytes) {
  ByteReader reader(bytes);
  const bool ours = reader.string(kPayloadMagic.size()) == kPayloadMagic;
  CredentialPayload payload;
  payload.key = reader.string(kDigestSize);
  payload.server.address = reader.string(kMaxAddress);
  payload.server.port = reader.u16();
  payload.digest = reader.string(kDigestSize);
  MUSTER_RETURN_IF_ERROR(reader.finish("credential"));
  if (!ours || payload.key.size() != kDigestSize || payload.digest.size() != kDigestSize)
    return failure(ErrorCode::kProtocol, "credential: made for another purpose");
  return payload;
}

std::string prove_join(const Digests& digests, std::string_view key, std::string_view transcript) {
  return digests.hmac_sha256(key, joined("muster join 1", transcript, ""));
}

std::string prove_welcome(const Digests& digests, std::string_view key, std::string_view transcript,
                          const Welcome& welcome) {
  ByteWriter rest;
  rest.u32(value_of(welcome.index)).u32(welcome.expected);
  return digests.hmac_sha256(key, joined("muster welcome 1", transcript, rest.bytes()));
}

std::string prove_refusal(const Digests& digests, std::string_view key, std::string_view transcript,
                          const Refused& refused) {
  ByteWriter rest;
  rest.string(to_string(refused.code)).string(refused.reason);
  return digests.hmac_sha256(key, joined("muster refused 1", transcript, rest.bytes()));
}

Status check_credential(const Digests& digests, const CredentialPayload& payload,
                        const Endpoint& server, std::string_view transcript) {
  if (payload.server != server) {
    return failure(
        ErrorCode::kPermissionDenied,
        "credential made for " + to_string(payload.server) + ", used at " + to_string(server));
  }
  if (!digests.equal_in_constant_time(payload.digest, digests.sha256(transcript)))
    return failure(ErrorCode::kPermissionDenied, "credential of another conversation");
  return {};
}

}  // namespace muster::rendezvous
