#include "launcher/coordinator/attempt_log.h"

#include <gtest/gtest.h>

namespace muster::launcher {
namespace {

verdict::WorkerEnd end_of(std::uint32_t rank, std::vector<std::string> last_lines) {
  verdict::WorkerEnd end;
  end.place.rank = Rank{rank};
  end.stderr_tail = std::move(last_lines);
  return end;
}

TEST(AttemptLog, TheLaterWordOnAnEndTakesThePlaceOfTheFirst) {
  AttemptLog log;
  log.note_end(end_of(7, {}));
  log.note_end(end_of(3, {}));
  log.note_end(end_of(7, {"ValueError: boom"}));
  ASSERT_EQ(log.evidence().ends.size(), 2u);
  EXPECT_EQ(log.evidence().ends[0].stderr_tail, std::vector<std::string>{"ValueError: boom"});
  EXPECT_TRUE(log.has_ended(Rank{3}));
  EXPECT_FALSE(log.has_ended(Rank{0}));
}

TEST(AttemptLog, WhatGotSigkillIsOneLineThatNamesEachNodeOnce) {
  const std::vector<std::string> hosts{"node1", "node2", "node3"};
  AttemptLog log;
  EXPECT_FALSE(log.killed_text(hosts));
  log.note_killed(2, 0);
  EXPECT_FALSE(log.killed_text(hosts));
  log.note_killed(2, 1);
  EXPECT_EQ(log.killed_text(hosts), "SIGKILL to 1 worker that outlived the grace, on node3");
  log.note_killed(0, 4);
  log.note_killed(2, 4);
  EXPECT_EQ(log.killed_text(hosts), "SIGKILL to 9 workers that outlived the grace, on node[1,3]");
}

}  // namespace
}  // namespace muster::launcher
