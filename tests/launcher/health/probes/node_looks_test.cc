#include "launcher/health/probes/node_looks.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <optional>

#include "rendezvous/base/asio.h"
#include "tests/launcher/health/probes/p5_tree.h"

namespace muster::health {
namespace {

using Events = Fact<std::vector<XidEvent>>;

constexpr Duration kPlenty{30'000};

class NodeLooksTest : public P5Tree {
 protected:
  NodeLooksTest() {
    std::filesystem::remove(root_ / "dev/kmsg");
    order("gpus=2");
  }

  void TearDown() override { expect_no_process_left(); }

  static void order(const char* words) { ::setenv("MUSTER_FAKE_NVML", words, 1); }

  NodeLooks& looks() {
    if (!looks_) {
      NodeLooksOptions options;
      options.look = options_;
      options.limit = kPlenty;
      options.watch_limit = watch_limit_;
      looks_.emplace(loop_, options);
    }
    return *looks_;
  }

  // The facts of one look. The loop may have more to do afterwards.
  HealthFacts look() {
    std::optional<Result<std::string>> answer;
    looks().look([&answer](Result<std::string> facts) { answer = std::move(facts); });
    const TimePoint end = Clock::now() + kPlenty;
    loop_.restart();
    while (!answer && Clock::now() < end) loop_.run_one_until(end);
    if (!answer || !*answer) {
      ADD_FAILURE() << (answer ? answer->error().message() : "no answer");
      return {};
    }
    return *parse_health_facts(**answer);
  }

  static bool has_children() {
    siginfo_t end{};
    return ::waitid(P_ALL, 0, &end, WEXITED | WNOHANG | WNOWAIT) == 0;
  }

  void finish_loop() {
    loop_.restart();
    loop_.run_for(kPlenty);  // ends when nothing is pending
  }

  void expect_no_process_left() {
    looks_.reset();
    finish_loop();
    EXPECT_FALSE(has_children());
  }

  Duration watch_limit_ = kPlenty;
  asio::io_context loop_{1};
  std::optional<NodeLooks> looks_;
};

TEST_F(NodeLooksTest, TheSecondLookHoldsTheXidsOfTheTimeBetween) {
  EXPECT_EQ(look().host.watched_xids, Events());
  EXPECT_TRUE(has_children()) << "nobody watches";
  expect_no_process_left();
  order("gpus=2 xid@1=79");
  look();
  EXPECT_EQ(look().host.watched_xids, Events(std::vector<XidEvent>{{"0000:7f:00", 79, 0}}));
}

TEST_F(NodeLooksTest, AQuietCheckIsAnEmptyList) {
  look();
  EXPECT_EQ(look().host.watched_xids, Events(std::vector<XidEvent>{}));
}

TEST_F(NodeLooksTest, NobodyWatchesWithoutAGpuOrWhereTheKernelsLogIsReadable) {
  write("dev/kmsg", "6,1,1,-;quiet");
  look();
  EXPECT_FALSE(has_children());
  std::filesystem::remove(root_ / "dev/kmsg");
  std::filesystem::remove_all(root_ / "proc/driver");
  EXPECT_EQ(look().driver_problem, "no NVIDIA driver is loaded");
  EXPECT_FALSE(has_children());
}

// What the watch waits for may never come back; the look comes all the same.
TEST_F(NodeLooksTest, AWatchThatHangsIsKilledAndSaidToHaveHung) {
  order("gpus=2 wedge");
  look();
  const TimePoint began = Clock::now();
  EXPECT_EQ(look().host.watched_xids, Events::none("the XID watch did not end when the check did"));
  EXPECT_LT(Clock::now() - began, kPlenty / 2);
}

TEST_F(NodeLooksTest, AWatchThatEndedByItselfKeepsWhatItSaw) {
  order("gpus=2 xid@0=48");
  watch_limit_ = Duration{0};
  look();
  finish_loop();
  EXPECT_FALSE(has_children());
  const HealthFacts facts = look();
  ASSERT_TRUE(facts.host.watched_xids.value);
  EXPECT_EQ(facts.host.watched_xids.value->size(), 1U);
}

TEST_F(NodeLooksTest, WithoutASecondLookTheWatchIsEnded) {
  look();
  looks().stop_watching();
  finish_loop();
  EXPECT_FALSE(has_children());
  EXPECT_EQ(look().host.watched_xids, Events());
}

TEST_F(NodeLooksTest, ALookThatFailsSaysWhy) {
  options_.host_limit = Duration{60'000};
  write("dev/kmsg", "6,1,1,-;quiet");
  std::filesystem::remove(root_ / "proc/uptime");
  ASSERT_EQ(::mkfifo(path("proc/uptime").c_str(), 0600), 0);
  NodeLooksOptions options;
  options.look = options_;
  options.limit = Duration{300};
  looks_.emplace(loop_, options);
  std::optional<Result<std::string>> answer;
  looks().look([&answer](Result<std::string> facts) { answer = std::move(facts); });
  finish_loop();
  ASSERT_TRUE(answer && !*answer);
  EXPECT_EQ(answer->error().message(), "did not answer in 300 ms");
}

}  // namespace
}  // namespace muster::health
