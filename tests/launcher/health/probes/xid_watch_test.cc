#include "launcher/health/probes/xid_watch.h"

#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <optional>

#include "rendezvous/base/asio.h"

namespace muster::health {
namespace {

using Events = Fact<std::vector<XidEvent>>;

constexpr Duration kPlenty{30'000};

class XidWatchTest : public testing::Test {
 protected:
  ~XidWatchTest() override { ::unsetenv("MUSTER_FAKE_NVML"); }

  // The answer of a watch that is stopped at once, or ends by itself at its limit.
  static Events watch(const char* orders, const char* library, bool is_stopped) {
    ::setenv("MUSTER_FAKE_NVML", orders, 1);
    asio::io_context loop(1);
    std::optional<Events> answer;
    XidWatch xids(loop, library, is_stopped ? kPlenty : Duration{0},
                  [&answer](Events events) { answer = std::move(events); });
    if (is_stopped) xids.stop();
    loop.run_for(kPlenty);
    return answer.value_or(Events::none("no answer"));
  }
};

TEST_F(XidWatchTest, TellsOfEventsUntilItIsStopped) {
  EXPECT_EQ(watch("gpus=2 xid@1=79", FAKE_NVML, true),
            Events(std::vector<XidEvent>{{"0000:7f:00", 79, 0}}));
}

TEST_F(XidWatchTest, EndsByItselfAtItsLimit) {
  EXPECT_EQ(watch("gpus=2", FAKE_NVML, false), Events(std::vector<XidEvent>{}));
}

TEST_F(XidWatchTest, SaysWhyItCannotWatch) {
  EXPECT_EQ(watch("gpus=0", FAKE_NVML, true), Events::none("there is no GPU"));
  EXPECT_EQ(watch("gpus=1 refuse=events", FAKE_NVML, true),
            Events::none("the driver tells of no XID: NVML error 3"));
  EXPECT_EQ(watch("gpus=1", OLD_NVML_LIBRARY, true),
            Events::none("this driver has no nvmlEventSetWait_v2"));
  EXPECT_EQ(watch("gpus=1 init=999", FAKE_NVML, true), Events::none("the driver: Unknown Error"));
}

TEST_F(XidWatchTest, OfADriverThatHangsIsOverSoonAfterItIsStopped) {
  EXPECT_EQ(watch("gpus=2 hang", FAKE_NVML, true),
            Events::none("the XID watch did not end when the check did"));
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "the child is still there";
}

TEST_F(XidWatchTest, LeavesNoProcessWhenItIsGone) {
  ::setenv("MUSTER_FAKE_NVML", "gpus=2 hang", 1);
  asio::io_context loop(1);
  bool answered = false;
  std::optional<XidWatch> xids;
  xids.emplace(loop, FAKE_NVML, kPlenty, [&answered](const Events&) { answered = true; });
  xids.reset();
  loop.run_for(kPlenty);  // ends with the child's death
  EXPECT_FALSE(answered);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "the child is still there";
}

}  // namespace
}  // namespace muster::health
