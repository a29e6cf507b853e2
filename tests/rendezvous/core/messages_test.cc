#include "rendezvous/messages.h"

#include <gtest/gtest.h>

#include <random>

#include "tests/rendezvous/core/sample_messages.h"

namespace muster::rendezvous {
namespace {

constexpr Generation kGeneration{7};

Frame frame_of(const std::string& bytes) {
  Frame frame;
  frame.kind = static_cast<std::uint8_t>(bytes[5]);
  frame.generation = kGeneration;
  frame.body = std::string_view(bytes).substr(kFrameHeaderSize);
  return frame;
}

TEST(Messages, EveryKindIsAmongTheSamples) {
  const auto samples = sample_messages();
  ASSERT_EQ(samples.size(), std::variant_size_v<Message>);
  for (std::size_t i = 0; i < samples.size(); ++i) EXPECT_EQ(samples[i].index(), i);
}

TEST(Messages, RoundTripAndSayTheirName) {
  for (const Message& message : sample_messages()) {
    const std::string bytes = encode(message, kGeneration);
    const Result<Message> parsed = parse(frame_of(bytes));
    ASSERT_TRUE(parsed) << name_of(message) << ": " << parsed.error().message();
    EXPECT_EQ(*parsed, message) << name_of(message);
    EXPECT_FALSE(name_of(message).empty());
  }
}

TEST(Messages, AnyShortenedBodyIsRefused) {
  for (const Message& message : sample_messages()) {
    const std::string bytes = encode(message, kGeneration);
    for (std::size_t size = kFrameHeaderSize; size < bytes.size(); ++size)
      EXPECT_FALSE(parse(frame_of(bytes.substr(0, size)))) << name_of(message) << " " << size;
    EXPECT_FALSE(parse(frame_of(bytes + "x"))) << name_of(message);
  }
}

// Whatever a mutation gives, it is refused or it is canonical: it encodes to the same bytes again.
TEST(Messages, WhatParsesAfterAMutationEncodesToTheSameBytes) {
  std::mt19937 random(2);
  const auto samples = sample_messages();
  std::size_t parsed_mutants = 0;
  for (int round = 0; round < 20000; ++round) {
    std::string bytes = encode(samples[random() % samples.size()], kGeneration);
    for (auto changes = 1 + random() % 3; changes > 0; --changes) {
      const std::size_t place = kFrameHeaderSize + random() % (bytes.size() - kFrameHeaderSize + 1);
      if (place == bytes.size()) {
        bytes.push_back(static_cast<char>(random()));
      } else {
        bytes[place] = static_cast<char>(random() % 4 == 0 ? random() : random() % 3);
      }
    }
    if (random() % 4 == 0) bytes[5] = static_cast<char>(random() % 80);
    const Result<Message> parsed = parse(frame_of(bytes));
    if (!parsed) {
      EXPECT_EQ(parsed.error().code(), ErrorCode::kProtocol);
      continue;
    }
    ++parsed_mutants;
    EXPECT_EQ(encode(*parsed, kGeneration).substr(kFrameHeaderSize),
              bytes.substr(kFrameHeaderSize));
  }
  EXPECT_GT(parsed_mutants, 1000u);
}

TEST(Messages, RefuseFieldsOverTheirLimits) {
  const auto is_refused = [](const Message& message) {
    return !parse(frame_of(encode(message, kGeneration)));
  };
  const std::string key(kMaxKey + 1, 'k');
  Join join = std::get<Join>(sample_messages()[1]);
  join.self.facts = std::string(kMaxFacts + 1, 'f');
  EXPECT_TRUE(is_refused(join));
  EXPECT_TRUE(is_refused(GetRequest{RequestId{1}, key}));
  EXPECT_TRUE(is_refused(SetRequest{RequestId{1}, "k", std::string(kMaxValue + 1, 'v')}));
  EXPECT_TRUE(is_refused(ApplicationMessage{std::string(kMaxMessage + 1, 'm')}));
  EXPECT_TRUE(
      is_refused(WaitRequest{RequestId{1}, std::vector<std::string>(kMaxKeysPerWait + 1, "k")}));
  EXPECT_TRUE(is_refused(WaitRequest{RequestId{1}, {}}));
  EXPECT_TRUE(is_refused(Arrive{CollectiveKind::kBarrier, key, {}, ""}));
  EXPECT_TRUE(is_refused(Missing{"n", 70, std::vector<std::string>(kMaxMissingNamed + 1)}));
}

TEST(Messages, TakeFieldsAtTheirLimits) {
  Join join = std::get<Join>(sample_messages()[1]);
  join.self.facts = std::string(kMaxFacts, 'f');
  join.proof = std::string(kMaxProof, 'p');
  const std::string bytes = encode(join, kGeneration);
  EXPECT_LE(bytes.size() - kFrameHeaderSize, kMaxUnprovenBody);
  EXPECT_TRUE(parse(frame_of(bytes)));
  const std::string set =
      encode(SetRequest{RequestId{1}, std::string(kMaxKey, 'k'), std::string(kMaxValue, 'v')}, {});
  EXPECT_LE(set.size() - kFrameHeaderSize, kMaxRequestBody);
  EXPECT_TRUE(parse(frame_of(set)));
}

TEST(Messages, NameAnUnknownKind) {
  Frame frame;
  frame.kind = 200;
  EXPECT_EQ(parse(frame).error().message(), "no message has kind 200");
}

TEST(Messages, RefuseAnotherMagicInTheGreeting) {
  std::string bytes = encode(sample_messages()[0], kGeneration);
  bytes[kFrameHeaderSize] ^= 1;
  EXPECT_EQ(parse(frame_of(bytes)).error().message(), "greeting: a value out of range");
}

TEST(Messages, KeepTheNumbersOfErrorCodes) {
  const std::string bytes = encode(Closing{ErrorCode::kUnsupported, ""}, {});
  EXPECT_EQ(bytes[kFrameHeaderSize], 10);
  EXPECT_EQ(encode(Closing{ErrorCode::kInvalidArgument, ""}, {})[kFrameHeaderSize], 1);
}

}  // namespace
}  // namespace muster::rendezvous
