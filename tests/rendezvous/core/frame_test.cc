#include "rendezvous/frame.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace muster::rendezvous {
namespace {

TEST(Frame, RoundTripsHeaderAndBody) {
  FrameReader reader(100);
  reader.push(encode_frame(17, Generation{5}, "body"));
  const auto frame = reader.next();
  ASSERT_TRUE(frame && *frame);
  EXPECT_EQ((*frame)->kind, 17);
  EXPECT_EQ((*frame)->generation, Generation{5});
  EXPECT_EQ((*frame)->body, "body");
  EXPECT_FALSE(reader.next()->has_value());
}

TEST(Frame, GivesFramesThatArriveByteByByte) {
  const std::string bytes = encode_frame(1, {}, "one") + encode_frame(2, {}, "");
  FrameReader reader(100);
  std::string kinds;
  for (const char byte : bytes) {
    reader.push(std::string_view(&byte, 1));
    while (const auto frame = *reader.next()) kinds += std::to_string(frame->kind);
  }
  EXPECT_EQ(kinds, "12");
}

TEST(Frame, GivesSeveralFramesOfOnePiece) {
  FrameReader reader(100);
  reader.push(encode_frame(1, {}, "a") + encode_frame(2, {}, "b") + encode_frame(3, {}, "c"));
  EXPECT_EQ((**reader.next()).body, "a");
  EXPECT_EQ((**reader.next()).body, "b");
  EXPECT_EQ((**reader.next()).body, "c");
  EXPECT_FALSE(reader.next()->has_value());
}

TEST(Frame, RefusesABodyOverTheLimitBeforeItArrives) {
  FrameReader reader(3);
  reader.push(encode_frame(1, {}, "four").substr(0, kFrameHeaderSize));
  EXPECT_EQ(reader.next().error().message(), "a frame of 4 bytes, where at most 3 are taken");
}

TEST(Frame, TakesLargerBodiesOnceTheLimitIsRaised) {
  FrameReader reader(3);
  reader.set_max_body(4);
  reader.push(encode_frame(1, {}, "four"));
  EXPECT_TRUE(reader.next()->has_value());
}

TEST(Frame, RefusesAnotherVersionAndKeepsRefusing) {
  std::string bytes = encode_frame(1, {}, "x");
  bytes[4] = 9;
  FrameReader reader(100);
  reader.push(bytes);
  EXPECT_EQ(reader.next().error().message(), "not a frame of protocol version 1 (version byte 9)");
  reader.push(encode_frame(1, {}, "x"));
  EXPECT_FALSE(reader.next());
}

TEST(Frame, RefusesAWebBrowser) {
  FrameReader reader(kMaxUnprovenBody);
  reader.push("GET / HTTP/1.1\r\nHost: node001\r\n\r\n");
  EXPECT_FALSE(reader.next());
}

TEST(Frame, SurvivesEveryMutation) {
  std::mt19937 random(1);
  const std::string good = encode_frame(1, {}, "hello") + encode_frame(2, Generation{3}, "world");
  for (int round = 0; round < 3000; ++round) {
    std::string bytes = good;
    for (auto changes = random() % 4; changes > 0; --changes)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    bytes.resize(random() % (bytes.size() + 1));
    FrameReader reader(64);
    std::size_t given = 0;
    for (std::size_t offset = 0; offset < bytes.size();) {
      const std::size_t size = std::min<std::size_t>(1 + random() % 20, bytes.size() - offset);
      reader.push(std::string_view(bytes).substr(offset, size));
      offset += size;
      auto frame = reader.next();
      for (; frame && *frame; frame = reader.next())
        given += kFrameHeaderSize + (*frame)->body.size();
      if (!frame) break;
    }
    EXPECT_LE(given, bytes.size());
  }
}

}  // namespace
}  // namespace muster::rendezvous
