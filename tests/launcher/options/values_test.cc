#include "launcher/options/values.h"

#include <gtest/gtest.h>

#include <string>

#include "launcher/options/options.h"

namespace muster::options {
namespace {

using namespace std::chrono_literals;

TEST(ParseNumber, TakesItsBoundsAndNothingBeyond) {
  EXPECT_EQ(parse_number("1", 1, 8).value(), 1u);
  EXPECT_EQ(parse_number("8", 1, 8).value(), 8u);
  for (const char* text : {"0", "9", "", "8 ", " 8", "+8", "-1", "8x", "99999999999"}) {
    EXPECT_FALSE(parse_number(text, 1, 8)) << text;
  }
  EXPECT_EQ(parse_number("9", 1, 8).error().message(), "expected a whole number from 1 to 8");
}

TEST(ParseDuration, ReadsSecondsAndUnits) {
  EXPECT_EQ(parse_duration("15").value(), 15s);
  EXPECT_EQ(parse_duration("0").value(), 0s);
  EXPECT_EQ(parse_duration("0.5").value(), 500ms);
  EXPECT_EQ(parse_duration("250ms").value(), 250ms);
  EXPECT_EQ(parse_duration("2m").value(), 120s);
  EXPECT_EQ(parse_duration("1.5h").value(), 90min);
}

TEST(ParseDuration, RefusesWhatIsNoTime) {
  for (const char* text : {"", "s", "-1", "1x", "1 s", "inf", "nan", "1e3", "800h", ".5"}) {
    EXPECT_FALSE(parse_duration(text)) << text;
  }
}

TEST(ParseSizes, KnowsBinaryUnits) {
  EXPECT_EQ(parse_sizes("8,4K,8M,1G").value(),
            (std::vector<std::uint64_t>{8, 4096, 8388608, 1073741824}));
  for (const char* text : {"", "0", "8M,", ",8", "8T", "8MB", "2000G", "99999999999999999999"}) {
    EXPECT_FALSE(parse_sizes(text)) << text;
  }
}

TEST(ParseSizes, HasALimit) {
  std::string text = "1";
  for (std::size_t i = 1; i < kMaxCheckSizes; ++i) text += ",1";
  EXPECT_EQ(parse_sizes(text).value().size(), kMaxCheckSizes);
  EXPECT_FALSE(parse_sizes(text + ",1"));
}

TEST(ParsePositive, RefusesZeroAndWords) {
  EXPECT_EQ(parse_positive("12.5").value(), 12.5);
  for (const char* text : {"0", "-1", "", "nan", "inf", "1x"}) {
    EXPECT_FALSE(parse_positive(text)) << text;
  }
}

}  // namespace
}  // namespace muster::options
