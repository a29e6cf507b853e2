#include "collectives-bench/fault.h"

#include <gtest/gtest.h>

namespace muster::bench {
namespace {

TEST(Fault, ReadsKindAndRank) {
  EXPECT_EQ(parse_fault(""), Fault{});
  EXPECT_EQ(parse_fault("corrupt:0"), (Fault{FaultKind::kCorrupt, 0}));
  EXPECT_EQ(parse_fault("stop:12"), (Fault{FaultKind::kStop, 12}));
  EXPECT_EQ(parse_fault("crash:3"), (Fault{FaultKind::kCrash, 3}));
}

TEST(Fault, StrikesItsRankAlone) {
  const Fault fault{FaultKind::kStop, 2};
  EXPECT_TRUE(fault.strikes(FaultKind::kStop, 2));
  EXPECT_FALSE(fault.strikes(FaultKind::kStop, 1));
  EXPECT_FALSE(fault.strikes(FaultKind::kCrash, 2));
}

TEST(Fault, ATypingErrorIsNoSilentHealth) {
  for (const char* text : {"corrupt", "corrupt:", "corrupt:x", "corrupt:1x", "explode:1", ":1"}) {
    EXPECT_FALSE(parse_fault(text)) << text;
  }
}

}  // namespace
}  // namespace muster::bench
