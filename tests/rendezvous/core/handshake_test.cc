#include "rendezvous/handshake.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/rendezvous/core/fake_digests.h"
#include "tests/rendezvous/core/sample_messages.h"

namespace muster::rendezvous {
namespace {

const Digests kDigests = fake_digests();
const Endpoint kServer{"10.0.0.1", 12000};

Greeting greeting() {
  return std::get<Greeting>(sample_messages()[0]);
}
Join join() {
  return std::get<Join>(sample_messages()[1]);
}
CredentialPayload payload() {
  return {std::string(kDigestSize, 'k'), kServer,
          kDigests.sha256(transcript_of(greeting(), join(), kServer))};
}

TEST(Handshake, TheTranscriptChangesWithEveryField) {
  const std::string original = transcript_of(greeting(), join(), kServer);
  Greeting other_greeting = greeting();
  other_greeting.nonce[0] ^= 1;
  EXPECT_NE(transcript_of(other_greeting, join(), kServer), original);
  Join other_join = join();
  other_join.self.node = NodeIndex{9};
  EXPECT_NE(transcript_of(greeting(), other_join, kServer), original);
  EXPECT_NE(transcript_of(greeting(), join(), {"10.0.0.1", 12001}), original);
  EXPECT_NE(transcript_of(greeting(), join(), {"10.0.0.2", 12000}), original);
}

TEST(Handshake, TheTranscriptDoesNotHoldTheProof) {
  Join other = join();
  other.proof = "another";
  EXPECT_EQ(transcript_of(greeting(), other, kServer), transcript_of(greeting(), join(), kServer));
}

TEST(Handshake, ProofsOfDifferentRolesDiffer) {
  const std::string transcript = transcript_of(greeting(), join(), kServer);
  const std::string joined = prove_join(kDigests, "key", transcript);
  const std::string welcomed = prove_welcome(kDigests, "key", transcript, {});
  const std::string refused = prove_refusal(kDigests, "key", transcript, {});
  EXPECT_NE(joined, welcomed);
  EXPECT_NE(joined, refused);
  EXPECT_NE(welcomed, refused);
  EXPECT_NE(joined, prove_join(kDigests, "another key", transcript));
}

TEST(Handshake, AWelcomeCannotBeTurnedIntoAnothers) {
  EXPECT_NE(prove_welcome(kDigests, "key", "t", {MemberIndex{1}, 4, ""}),
            prove_welcome(kDigests, "key", "t", {MemberIndex{2}, 4, ""}));
}

TEST(Handshake, TheCredentialsPayloadRoundTrips) {
  const auto parsed = parse_credential_payload(encode(payload()));
  ASSERT_TRUE(parsed);
  EXPECT_EQ(*parsed, payload());
}

TEST(Handshake, ACredentialMadeForAnotherPurposeIsRefused) {
  EXPECT_FALSE(parse_credential_payload("hello"));
  std::string bytes = encode(payload());
  bytes[6] ^= 1;
  EXPECT_EQ(parse_credential_payload(bytes).error().message(),
            "credential: made for another purpose");
}

TEST(Handshake, ARelayedCredentialNamesBothServers) {
  const std::string transcript = transcript_of(greeting(), join(), kServer);
  const Status status = check_credential(kDigests, payload(), {"10.0.0.7", 12000}, transcript);
  EXPECT_EQ(status.error().message(), "credential made for 10.0.0.1:12000, used at 10.0.0.7:12000");
}

TEST(Handshake, AReplayedCredentialIsOfAnotherConversation) {
  Greeting next = greeting();
  next.nonce = std::string(kNonceSize, 'x');
  const Status status =
      check_credential(kDigests, payload(), kServer, transcript_of(next, join(), kServer));
  EXPECT_EQ(status.error().message(), "credential of another conversation");
  EXPECT_TRUE(
      check_credential(kDigests, payload(), kServer, transcript_of(greeting(), join(), kServer)));
}

TEST(Handshake, ThePayloadSurvivesEveryMutation) {
  std::mt19937 random(3);
  const std::string good = encode(payload());
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = good;
    bytes[random() % bytes.size()] = static_cast<char>(random());
    bytes.resize(bytes.size() - random() % 3);
    const auto parsed = parse_credential_payload(bytes);
    if (!parsed) continue;
    EXPECT_EQ(encode(*parsed), bytes);
  }
}

TEST(Handshake, WritesEndpointsAsPeopleDo) {
  EXPECT_EQ(to_string(Endpoint{"10.0.0.1", 7}), "10.0.0.1:7");
  EXPECT_EQ(to_string(Endpoint{"fd00::1", 7}), "[fd00::1]:7");
  EXPECT_EQ(to_string(Endpoint{}), "this process");
}

}  // namespace
}  // namespace muster::rendezvous
