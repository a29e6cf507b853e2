#include "rendezvous/sidecar_messages.h"

#include <gtest/gtest.h>

#include <random>

namespace muster::rendezvous {
namespace {

std::vector<SidecarCall> calls() {
  return {MungeEncode{"/run/munge", std::string("\0payload", 8)}, MungeDecode{"", "MUNGE:abc:"},
          LookUpHosts{{"node1", "node2"}}};
}

std::vector<Result<SidecarAnswer>> answers() {
  const HostAddresses good{
      "node1", "", {{"10.0.0.1", AddressKind::kElsewhere}, {"127.0.1.1", AddressKind::kLoopback}}};
  return {SidecarAnswer(MungeCredential{"MUNGE:abc:"}),
          SidecarAnswer(MungeContent{1000, std::string("\0x", 2)}),
          SidecarAnswer(LookedUpHosts{{good, {"node2", "Name or service not known", {}}}}),
          failure(ErrorCode::kPermissionDenied, "munge: the credential was used before")};
}

TEST(SidecarMessages, SurviveTheRoundTrip) {
  for (const SidecarCall& call : calls()) EXPECT_EQ(parse_call(encode_call(call)), call);
  for (const auto& answer : answers()) {
    const auto parsed = parse_answer(encode_answer(answer));
    ASSERT_TRUE(parsed);
    EXPECT_EQ(*parsed, answer);
  }
}

TEST(SidecarMessages, RefuseCutAndLongBytes) {
  for (const SidecarCall& call : calls()) {
    const std::string bytes = encode_call(call);
    for (std::size_t size = 0; size < bytes.size(); ++size)
      EXPECT_FALSE(parse_call(bytes.substr(0, size))) << size;
    EXPECT_FALSE(parse_call(bytes + "x"));
  }
}

TEST(SidecarMessages, RefuseNumbersThatMeanNothing) {
  const HostAddresses host{"n", "", {{"::1", static_cast<AddressKind>(3)}}};
  const auto address = parse_answer(encode_answer(SidecarAnswer(LookedUpHosts{{host}})));
  ASSERT_FALSE(address);
  EXPECT_EQ(address.error().message(), "sidecar answer: unknown kind of address 3");
  const auto code = parse_answer(encode_answer(failure(static_cast<ErrorCode>(10), "no")));
  ASSERT_FALSE(code);
  EXPECT_EQ(code.error().message(), "sidecar answer: unknown error code 10");
}

TEST(SidecarMessages, NeverReadPastMutatedBytes) {
  std::mt19937 random(20240607);
  std::size_t refused = 0;
  for (int i = 0; i < 20000; ++i) {
    const auto all = answers();
    std::string bytes = encode_answer(all[random() % all.size()]);
    for (unsigned flips = 1 + random() % 4; flips > 0; --flips)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    bytes.resize(random() % 8 == 0 ? random() % (bytes.size() + 1) : bytes.size());
    if (!parse_answer(bytes)) ++refused;
    if (!parse_call(bytes)) ++refused;
  }
  EXPECT_GT(refused, 10000u);
}

TEST(SidecarFrames, ComeOutWholeHoweverTheyArrive) {
  const std::string sent = framed("first") + framed("") + framed("third");
  std::string received;
  std::string body;
  std::vector<std::string> bodies;
  for (const char byte : sent) {
    received += byte;
    while (take_frame(received, body).value()) bodies.push_back(body);
  }
  EXPECT_EQ(bodies, (std::vector<std::string>{"first", "", "third"}));
}

TEST(SidecarFrames, OfAbsurdLengthAreRefused) {
  std::string received = "\xff\xff\xff\xff";
  std::string body;
  EXPECT_FALSE(take_frame(received, body));
}

}  // namespace
}  // namespace muster::rendezvous
