// PROTOCOL.md against the code: kinds, limits, and the bytes of its example.
#include <gtest/gtest.h>

#include <cctype>
#include <fstream>
#include <sstream>

#include "rendezvous/collectives.h"
#include "rendezvous/member_engine.h"
#include "rendezvous/server_engine.h"
#include "rendezvous/store.h"
#include "tests/rendezvous/core/sample_messages.h"

namespace muster::rendezvous {
namespace {

std::string page() {
  std::ifstream file(MUSTER_RENDEZVOUS_DIR "/PROTOCOL.md");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The lines "0010  4d 53 54 52 ...  | comment" of the page's example.
std::string bytes_of_the_dump() {
  const std::string text = page();
  std::istringstream lines(text.substr(text.find("## An example")));
  std::string bytes;
  for (std::string line; std::getline(lines, line);) {
    if (line.size() < 8 || line.substr(4, 2) != "  " || !std::isxdigit(line[0])) continue;
    EXPECT_EQ(std::stoul(line.substr(0, 4), nullptr, 16), bytes.size()) << line;
    std::istringstream pairs(line.substr(6, line.find('|') - 6));
    for (std::string pair; pairs >> pair;)
      bytes.push_back(static_cast<char>(std::stoul(pair, nullptr, 16)));
  }
  return bytes;
}

Greeting example() {
  Greeting greeting{{4242, 0, 1, ""}, NodeIndex{0}, 0, AuthenticationMethod::kMunge, ""};
  for (std::size_t i = 0; i < kNonceSize; ++i) greeting.nonce.push_back(static_cast<char>(i));
  return greeting;
}

TEST(ProtocolPage, TheDumpIsTheGreetingItDescribes) {
  const std::string bytes = bytes_of_the_dump();
  EXPECT_EQ(bytes, encode(example(), Generation{}));
  FrameReader reader(kMaxUnprovenBody);
  reader.push(bytes);
  const auto frame = reader.next();
  ASSERT_TRUE(frame && *frame);
  EXPECT_EQ(*parse(**frame), Message(example()));
}

TEST(ProtocolPage, ListsEveryKind) {
  for (const Message& message : sample_messages()) {
    const int kind = static_cast<unsigned char>(encode(message, {})[5]);
    const std::string row = "| " + std::to_string(kind) + " | " + std::string(name_of(message));
    EXPECT_NE(page().find(row + " |"), std::string::npos) << row;
  }
}

TEST(ProtocolPage, ListsEveryLimit) {
  const auto expect_row = [](const std::string& name, std::uint64_t value) {
    const std::string row = "| " + name + " | " + std::to_string(value) + " |";
    EXPECT_NE(page().find(row), std::string::npos) << row;
  };
  expect_row("kMaxUnprovenBody", kMaxUnprovenBody);
  expect_row("kMaxRequestBody", kMaxRequestBody);
  expect_row("kMaxReplyBody", kMaxReplyBody);
  expect_row("kMaxScope", kMaxScope);
  expect_row("kMaxHost", kMaxHost);
  expect_row("kMaxAddress", kMaxAddress);
  expect_row("kMaxFacts", kMaxFacts);
  expect_row("kMaxProof", kMaxProof);
  expect_row("kMaxText", kMaxText);
  expect_row("kMaxKey", kMaxKey);
  expect_row("kMaxValue", kMaxValue);
  expect_row("kMaxMessage", kMaxMessage);
  expect_row("kMaxMembers", kMaxMembers);
  expect_row("kMaxKeysPerWait", kMaxKeysPerWait);
  expect_row("kMaxMissingNamed", kMaxMissingNamed);
  expect_row("kMaxAcknowledged", kMaxAcknowledged);
  expect_row("kMaxLost", kMaxLost);
  expect_row("kMaxSeatBytes", kMaxSeatBytes);
  expect_row("kMaxWaitersPerMember", kMaxWaitersPerMember);
  expect_row("kMaxStoreKeys", kMaxStoreKeys);
  expect_row("kMaxStoreBytes", kMaxStoreBytes);
  expect_row("kMaxCollectives", kMaxCollectives);
  expect_row("kMaxGather", kMaxGather);
  expect_row("kMaxUnprovenBase", kMaxUnprovenBase);
  expect_row("kMaxEarlyBytes", kMaxEarlyBytes);
}

}  // namespace
}  // namespace muster::rendezvous
