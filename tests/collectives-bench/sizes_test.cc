#include "collectives-bench/sizes.h"

#include <gtest/gtest.h>

namespace muster::bench {
namespace {

TEST(Sizes, SuffixesAreBinary) {
  EXPECT_EQ(parse_bytes("8"), 8u);
  EXPECT_EQ(parse_bytes("8B"), 8u);
  EXPECT_EQ(parse_bytes("1K"), 1024u);
  EXPECT_EQ(parse_bytes("64M"), 64ull << 20);
  EXPECT_EQ(parse_bytes("64m"), 64ull << 20);
  EXPECT_EQ(parse_bytes("64MiB"), 64ull << 20);
  EXPECT_EQ(parse_bytes("8G"), 8ull << 30);
  EXPECT_EQ(parse_bytes("2T"), 2ull << 40);
}

TEST(Sizes, RefusesWhatIsNoSize) {
  for (const char* text : {"", "M", "-1", "1.5G", "8 M", "64X", "64Mi", "0x10", "9999999999999999T",
                           "16777216T", "99999999999999999999"}) {
    EXPECT_FALSE(parse_bytes(text)) << text;
  }
}

TEST(Sizes, TextIsShortAndRoundTripsWhereExact) {
  EXPECT_EQ(bytes_text(8), "8 B");
  EXPECT_EQ(bytes_text(16ull << 20), "16 MiB");
  EXPECT_EQ(bytes_text(1536), "1.50 KiB");
  EXPECT_EQ(bytes_text(3ull << 40), "3 TiB");
}

TEST(Sizes, ExpandsByFactorAndByStep) {
  const SizeRange by_factor{.min_bytes = 8, .max_bytes = 100, .step_bytes = 0, .factor = 2};
  EXPECT_EQ(expand_sizes(by_factor), (std::vector<std::uint64_t>{8, 16, 32, 64}));
  const SizeRange by_step{.min_bytes = 8, .max_bytes = 20, .step_bytes = 6, .factor = 0};
  EXPECT_EQ(expand_sizes(by_step), (std::vector<std::uint64_t>{8, 12, 20}));
}

TEST(Sizes, EndsAtTheLargestNumberWithoutWrappingAround) {
  const SizeRange range{.min_bytes = 1ull << 60, .max_bytes = ~0ull, .step_bytes = 0, .factor = 16};
  EXPECT_EQ(expand_sizes(range), (std::vector<std::uint64_t>{1ull << 60}));
}

TEST(Sizes, NamesTheOptionAtFault) {
  const auto message = [](SizeRange range) { return expand_sizes(range).error().message(); };
  EXPECT_NE(message({.min_bytes = 2, .max_bytes = 8}).find("-b 2"), std::string::npos);
  EXPECT_NE(message({.min_bytes = 64, .max_bytes = 8}).find("-e 8 B"), std::string::npos);
  EXPECT_NE(message({.min_bytes = 8, .max_bytes = 64, .factor = 1}).find("-f 1"),
            std::string::npos);
  EXPECT_NE(message({.min_bytes = 8, .max_bytes = 1 << 20, .step_bytes = 8}).find("more than 256"),
            std::string::npos);
  EXPECT_NE(message({.min_bytes = 8, .max_bytes = 64, .step_bytes = 1}).find("-i 1"),
            std::string::npos);
}

}  // namespace
}  // namespace muster::bench
