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

}  // namespace
}  // namespace muster::rendezvous
