#include "launcher/output/frames.h"

#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace muster::output {
namespace {

TEST(Frames, ComeBackAsTheyWereHoweverTheyArrive) {
  const std::string bytes = encode_frame(FrameKind::kOpen, 1, "/logs/x") +
                            encode_frame(FrameKind::kData, 1, std::string(5000, 'd')) +
                            encode_frame(FrameKind::kClose, 1, "");
  for (const std::size_t step : {std::size_t{1}, std::size_t{7}, bytes.size()}) {
    FrameParser parser;
    std::vector<std::pair<FrameKind, std::string>> frames;
    for (std::size_t at = 0; at < bytes.size(); at += step) {
      parser.feed(std::string_view(bytes).substr(at, step));
      while (true) {
        const auto frame = parser.next();
        ASSERT_TRUE(frame.has_value());
        if (!frame->has_value()) break;
        EXPECT_EQ((*frame)->file, 1U);
        frames.emplace_back((*frame)->kind, std::string((*frame)->body));
      }
    }
    ASSERT_EQ(frames.size(), 3U);
    EXPECT_EQ(frames[0], std::make_pair(FrameKind::kOpen, std::string("/logs/x")));
    EXPECT_EQ(frames[1].second, std::string(5000, 'd'));
    EXPECT_EQ(frames[2].first, FrameKind::kClose);
    EXPECT_EQ(parser.waiting(), 0U);
  }
}

TEST(Frames, RefuseUnknownKindsAndHugeBodies) {
  FrameParser unknown;
  unknown.feed(std::string(kFrameHeader, '\x09'));
  EXPECT_FALSE(unknown.next().has_value());
  FrameParser huge;
  huge.feed(std::string("\x03\0\0\0\0\xFF\xFF\xFF\x7F", kFrameHeader));
  EXPECT_FALSE(huge.next().has_value());
}

TEST(Frames, SurviveMutations) {
  std::minstd_rand random(3);
  const std::string good =
      encode_frame(FrameKind::kData, 7, "hello") + encode_frame(FrameKind::kOpen, 8, "/x");
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = good.substr(0, random() % (good.size() + 1));
    if (!bytes.empty()) bytes[random() % bytes.size()] = static_cast<char>(random());
    FrameParser parser;
    parser.feed(bytes);
    int frames = 0;
    while (true) {
      const auto frame = parser.next();
      if (!frame || !frame->has_value()) break;
      ++frames;
    }
    EXPECT_LE(frames, 3);
  }
}

}  // namespace
}  // namespace muster::output
