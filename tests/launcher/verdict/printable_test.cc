#include "launcher/verdict/printable.h"

#include <gtest/gtest.h>

#include <random>

namespace muster::verdict {
namespace {

TEST(PrintableLine, KeepsOneLineAndNoControls) {
  EXPECT_EQ(printable_line("a\tb\x07 c\nd", 80), "a b? c");
  EXPECT_EQ(printable_line("\x1b[31;1mred\x1b[0m text", 80), "red text");
  EXPECT_EQ(printable_line("cut \x1b[31", 80), "cut ");
  EXPECT_EQ(printable_line("", 80), "");
}

TEST(PrintableLine, ShowsTheLastStateOfAProgressBar) {
  EXPECT_EQ(printable_line("10%\r20%\r30%\r", 80), "30%");
}

TEST(PrintableLine, CutsLongLinesBetweenCharacters) {
  EXPECT_EQ(printable_line("abcdefgh", 8), "abcdefgh");
  EXPECT_EQ(printable_line("abcdefghi", 8), "abcde...");
  EXPECT_EQ(printable_line("abcd\xc3\xa9xyzw", 8), "abcd...");
}

TEST(PrintableLine, AnyBytesStayWithinTheLimit) {
  std::mt19937 random(5);
  for (int round = 0; round < 5000; ++round) {
    std::string text(random() % 64, ' ');
    for (char& letter : text) letter = static_cast<char>(random() % 256);
    const std::string line = printable_line(text, 16);
    ASSERT_LE(line.size(), 16u);
    for (const char letter : line) {
      ASSERT_TRUE(static_cast<unsigned char>(letter) >= 0x20 && letter != 0x7f);
    }
  }
}

TEST(SplitLines, KeepsEmptyLinesInsideOnly) {
  EXPECT_EQ(split_lines("a\n\nb\n"), (std::vector<std::string>{"a", "", "b"}));
  EXPECT_EQ(split_lines("a"), std::vector<std::string>{"a"});
  EXPECT_TRUE(split_lines("").empty());
}

}  // namespace
}  // namespace muster::verdict
