#include "launcher/output/tail.h"

#include <gtest/gtest.h>

#include "launcher/output/held_lines.h"

namespace muster::output {
namespace {

using Strings = std::vector<std::string>;

TEST(Tail, KeepsTheLastLinesAndJoinsPieces) {
  Tail tail;
  tail.add({"one", false, true});
  tail.add({"tw", false, false});
  tail.add({"o", true, true});
  EXPECT_EQ(tail.last(), (Strings{"one", "two"}));
  EXPECT_EQ(tail.last(1), Strings{"two"});
  EXPECT_EQ(tail.last(0), Strings{});
}

TEST(Tail, IsBoundedInLines) {
  Tail tail;
  for (int i = 0; i < 1000; ++i) tail.add({std::to_string(i), false, true});
  const Strings lines = tail.last();
  ASSERT_EQ(lines.size(), Tail::kLines);
  EXPECT_EQ(lines.front(), "800");
  EXPECT_EQ(lines.back(), "999");
}

TEST(Tail, IsBoundedInBytesAndKeepsTheEndOfAHugeLine) {
  Tail tail;
  tail.add({"first", false, true});
  for (int i = 0; i < 1000; ++i) tail.add({std::string(1000, 'x'), i > 0, false});
  tail.add({"end", true, true});
  EXPECT_EQ(tail.bytes(), Tail::kBytes);
  const Strings lines = tail.last();
  ASSERT_EQ(lines.size(), 1U);
  EXPECT_EQ(lines[0].size(), Tail::kBytes);
  EXPECT_TRUE(lines[0].ends_with("xend"));
}

TEST(HeldLines, KeepTheLastAndGiveBackTheRest) {
  HeldLines held;
  for (std::size_t i = 0; i < 1000; ++i) {
    held.add(std::to_string(i) + "\n");
    const auto oldest = held.take_excess();
    ASSERT_EQ(oldest.has_value(), i >= HeldLines::kLines);
    if (!oldest) continue;
    EXPECT_EQ(*oldest, std::to_string(i - HeldLines::kLines) + "\n");
    held.count_dropped(1);
  }
  EXPECT_EQ(held.dropped(), 800U);
  auto taken = held.take();
  EXPECT_EQ(taken.dropped, 1000 - HeldLines::kLines);
  EXPECT_EQ(taken.lines.size(), HeldLines::kLines);
  EXPECT_EQ(taken.lines.back(), "999\n");
  EXPECT_TRUE(held.empty());
  EXPECT_EQ(held.take().dropped, 0U);
  EXPECT_EQ(held.dropped_ever(), 800U);
}

}  // namespace
}  // namespace muster::output
