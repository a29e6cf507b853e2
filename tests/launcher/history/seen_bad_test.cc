#include "launcher/history/seen_bad.h"

#include <gtest/gtest.h>

namespace muster::history {
namespace {

using std::chrono::sys_days;
using std::chrono::sys_seconds;
using namespace std::chrono_literals;

constexpr sys_seconds kNow = sys_days(2026y / 11 / 23) + 12h;

Record unfit(std::string host, std::string instance_id, std::vector<std::string> gpus,
             std::chrono::seconds age, std::string job = "1.0") {
  return {kNow - age,
          std::move(job),
          {std::move(host), std::move(instance_id), std::move(gpus), "slow", 0.4, ""}};
}

const NodeIdentity kNode{"node3", "i-3", {"GPU-a", "GPU-b"}};

TEST(SeenBad, TakesTwoVerdictsOfAWeek) {
  const Record first = unfit("node3", "i-3", {}, 1h);
  const Record second = unfit("node3", "i-3", {}, 24h * 6);
  EXPECT_FALSE(seen_bad({}, kNode, kNow));
  EXPECT_FALSE(seen_bad(std::vector{first}, kNode, kNow));
  EXPECT_TRUE(seen_bad(std::vector{first, second}, kNode, kNow));
}

TEST(SeenBad, ForgetsAfterAWeek) {
  const Record recent = unfit("node3", "i-3", {}, 1h);
  EXPECT_TRUE(seen_bad(std::vector{recent, unfit("node3", "i-3", {}, 24h * 7)}, kNode, kNow));
  EXPECT_FALSE(seen_bad(std::vector{recent, unfit("node3", "i-3", {}, 24h * 7 + 1s)}, kNode, kNow));
}

TEST(SeenBad, AllowsForClocksThatDifferALittle) {
  const Record recent = unfit("node3", "i-3", {}, 1h);
  EXPECT_TRUE(seen_bad(std::vector{recent, unfit("node3", "i-3", {}, -10min)}, kNode, kNow));
  EXPECT_FALSE(seen_bad(std::vector{recent, unfit("node3", "i-3", {}, -2h)}, kNode, kNow));
}

TEST(SeenBad, KnowsAMachineUnderAnotherName) {
  EXPECT_TRUE(seen_bad(std::vector{unfit("old1", "i-3", {}, 1h), unfit("old2", "", {"GPU-b"}, 2h)},
                       kNode, kNow));
}

TEST(SeenBad, KnowsAGpuInAnotherMachine) {
  EXPECT_TRUE(seen_bad(std::vector{unfit("old1", "i-1", {"GPU-x", "GPU-a"}, 1h),
                                   unfit("old1", "i-1", {"GPU-b"}, 2h)},
                       kNode, kNow));
}

TEST(SeenBad, DoesNotBlameANewMachineForItsName) {
  EXPECT_FALSE(
      seen_bad(std::vector{unfit("node3", "i-1", {"GPU-x"}, 1h), unfit("node3", "i-1", {}, 2h),
                           unfit("node3", "", {"GPU-x"}, 3h)},
               kNode, kNow));
}

TEST(SeenBad, GoesByTheNameWhereNothingElseIsKnown) {
  const std::vector<Record> nameless{unfit("node3", "", {}, 1h), unfit("node3", "", {}, 2h)};
  const std::vector<Record> named{unfit("node3", "i-1", {}, 1h), unfit("node3", "i-1", {}, 2h)};
  EXPECT_TRUE(seen_bad(nameless, {"node3", "", {}}, kNow));
  EXPECT_TRUE(seen_bad(nameless, kNode, kNow));
  EXPECT_TRUE(seen_bad(named, {"node3", "", {}}, kNow));
  EXPECT_FALSE(seen_bad(nameless, {"node4", "", {}}, kNow));
}

TEST(SeenBad, TakesAnUnknownUuidForNoGpu) {
  EXPECT_FALSE(seen_bad(std::vector{unfit("old1", "i-1", {""}, 1h), unfit("old1", "i-1", {""}, 2h)},
                        {"node3", "i-3", {""}}, kNow));
}

TEST(SeenBad, CountsTheFaultsOfOneVerdictOnce) {
  const Record record = unfit("node3", "i-3", {}, 1h, "7.0");
  Record other_fault = record;
  other_fault.unfit.fault = "wrong data";
  EXPECT_FALSE(seen_bad(std::vector{record, other_fault}, kNode, kNow));
  EXPECT_TRUE(seen_bad(std::vector{record, other_fault, unfit("node3", "i-3", {}, 1h, "8.0")},
                       kNode, kNow));
}

TEST(PastFindings, AreThoseOfTheMachineInTheirOrder) {
  const Record first = unfit("node3", "i-3", {}, 3h);
  const Record other = unfit("node4", "i-4", {}, 2h);
  const Record last = unfit("node9", "", {"GPU-a"}, 1h);
  EXPECT_EQ(past_findings(std::vector{first, other, last}, kNode, kNow),
            (std::vector{first, last}));
}

}  // namespace
}  // namespace muster::history
