#include "collectives-bench/slot.h"

#include <gtest/gtest.h>

namespace muster::bench {
namespace {

Result<std::optional<SlotOrder>> found(const std::string& text) {
  return find_slot_order(Environment{{kSlotVariable, text}});
}

TEST(Slot, WhatAParentWritesItsChildReads) {
  const SlotOrder order{{2, 8}, 4711};
  EXPECT_EQ(print_slot_order(order), "2/8/4711");
  const auto read = found(print_slot_order(order));
  ASSERT_TRUE(read);
  EXPECT_EQ(*read, order);
}

TEST(Slot, AProcessThatWasGivenNoneHasNone) {
  const auto read = find_slot_order(Environment{});
  ASSERT_TRUE(read);
  EXPECT_FALSE(*read);
}

TEST(Slot, AnythingElseIsAnErrorThatShowsIt) {
  for (const char* text : {"", "1", "1/2", "1/2/", "2/2/7", "0/0/7", "1/257/7", "a/2/7", "1/2/7x",
                           "1/2/0", "-1/2/7", "1/2/-7", "1//7"}) {
    const auto read = found(text);
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code(), ErrorCode::kInvalidArgument);
    EXPECT_NE(read.error().message().find(std::string("MUSTER_BENCH_SLOT=") + text),
              std::string::npos);
  }
}

}  // namespace
}  // namespace muster::bench
