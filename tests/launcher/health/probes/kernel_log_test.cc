#include "launcher/health/probes/kernel_log.h"

#include <gtest/gtest.h>

namespace muster::health {
namespace {

constexpr std::uint64_t kUptimeUs = 1'000'000'000;

TEST(FindXids, ReadsPlaceCodeAndAge) {
  EXPECT_EQ(find_xids("6,1,5,-;Linux version 5.15\n"
                      "3,900,970000000,-;NVRM: Xid (PCI:0000:5B:00): 79, pid=12, GPU has fallen\n"
                      "3,901,999000000,-;NVRM: Xid (0000:86:00): 149, NETIR_LINK_EVT\n",
                      kUptimeUs),
            (std::vector<XidEvent>{{"0000:5b:00", 79, 30}, {"0000:86:00", 149, 1}}));
}

TEST(FindXids, TakesALineWithoutAStampForNew) {
  EXPECT_EQ(find_xids("NVRM: Xid (PCI:0000:53:00): 48, DBE", kUptimeUs),
            (std::vector<XidEvent>{{"0000:53:00", 48, 0}}));
  EXPECT_EQ(find_xids("3,9,5000000000,-;NVRM: Xid (PCI:0000:53:00): 48", kUptimeUs),
            (std::vector<XidEvent>{{"0000:53:00", 48, 0}}))
      << "a stamp of the future";
}

TEST(FindXids, PassesOverWhatIsBroken) {
  EXPECT_TRUE(find_xids("", kUptimeUs).empty());
  EXPECT_TRUE(find_xids("NVRM: Xid (PCI:0000:53:00", kUptimeUs).empty());
  EXPECT_TRUE(find_xids("NVRM: Xid (PCI:0000:53:00): pid", kUptimeUs).empty());
  EXPECT_TRUE(find_xids("NVRM: Xid (\x1b[31m): 79, x", kUptimeUs).empty());
}

TEST(FindXids, KeepsTheNewestOfAFlood) {
  std::string log;
  for (int i = 1; i <= 300; ++i) log += "NVRM: Xid (PCI:0:1:0): " + std::to_string(i) + ", x\n";
  const auto events = find_xids(log, kUptimeUs);
  EXPECT_EQ(events.size(), kMaxFactItems);
  EXPECT_EQ(events.back().code, 300U);
}

TEST(ClassifyXid, KnowsWhatEndsAGpu) {
  for (const std::uint64_t code : {48, 64, 74, 79, 95, 119, 120}) {
    EXPECT_EQ(classify_xid(code), XidClass::kFatal) << code;
  }
  EXPECT_EQ(classify_xid(63), XidClass::kSuspicious);
  for (const std::uint64_t code : {0, 13, 31, 43, 99999}) {
    EXPECT_EQ(classify_xid(code), XidClass::kHarmless) << code;
  }
}

}  // namespace
}  // namespace muster::health
