// Many blocking calls at once.
#include "rendezvous/sidecar_pool.h"

#include <gtest/gtest.h>

#include "tests/rendezvous/shells/meeting.h"

namespace muster::rendezvous {
namespace {

class SidecarPoolTest : public testing::Test {
 protected:
  void call() {
    pool_.call(LookUpHosts{{"localhost"}}, [this](const Result<SidecarAnswer>& answer) {
      ++answers_;
      if (answer) ++good_answers_;
    });
  }
  bool wait_for(std::size_t answers) {
    const TimePoint end = Clock::now() + kPatience;
    while (answers_ < answers && Clock::now() < end) loop_.run_one_until(end);
    return good_answers_ == answers;
  }

  asio::io_context loop_{1};
  SidecarPool pool_{loop_, 3};
  std::size_t answers_ = 0;
  std::size_t good_answers_ = 0;
};

TEST_F(SidecarPoolTest, StartsOneForCallsThatComeOneByOne) {
  for (std::size_t i = 1; i <= 3; ++i) {
    call();
    ASSERT_TRUE(wait_for(i));
  }
  EXPECT_EQ(pool_.size(), 1u);
}

TEST_F(SidecarPoolTest, SharesManyCallsAmongAsManyAsItMay) {
  for (int i = 0; i < 20; ++i) call();
  EXPECT_EQ(pool_.size(), 3u);
  EXPECT_TRUE(wait_for(20));
}

TEST_F(SidecarPoolTest, ForgetsItsCallsWhenStoppedAndServesAgain) {
  for (int i = 0; i < 5; ++i) call();
  pool_.stop();
  call();
  EXPECT_TRUE(wait_for(1));
  loop_.poll();
  EXPECT_EQ(answers_, 1u);
}

TEST(StuckSidecars, AreToldOnceHoweverManyCallsTheyFail) {
  asio::io_context loop(1);
  std::vector<std::string> told;
  // No child is as fast as that.
  SidecarPool pool(
      loop, 3, {.call_limit = Duration::zero(), .host = "node1", .on_stuck = [&](const Error& e) {
                  told.push_back(e.message());
                }});
  std::vector<std::string> failures;
  for (int i = 0; i < 6; ++i) {
    pool.call(MungeDecode{"", "x"}, [&](const Result<SidecarAnswer>& answer) {
      failures.push_back(answer ? "" : answer.error().message());
    });
  }
  const TimePoint end = Clock::now() + kPatience;
  while (failures.size() < 6 && Clock::now() < end) loop.run_one_until(end);
  ASSERT_EQ(failures.size(), 6u);
  ASSERT_EQ(told.size(), 1u);
  EXPECT_TRUE(contains(told[0], " on node1 did not answer within 0 s: munge hangs there"))
      << told[0];
  for (const std::string& failure : failures)
    EXPECT_EQ(failure.find("open a munge credential: the helper process muster-rendezvous (pid "),
              0u)
        << failure;
}

TEST(StuckSidecars, MayMakeTheOwnerEndThePool) {
  asio::io_context loop(1);
  std::unique_ptr<SidecarPool> pool;
  pool = std::make_unique<SidecarPool>(
      loop, 1, SidecarOptions{Duration::zero(), "", [&pool](const Error&) { pool.reset(); }});
  pool->call(LookUpHosts{{"localhost"}}, [](const Result<SidecarAnswer>&) {});
  const TimePoint end = Clock::now() + kPatience;
  while (pool && Clock::now() < end) loop.run_one_until(end);
  EXPECT_FALSE(pool);
}

}  // namespace
}  // namespace muster::rendezvous
