#include "collectives-bench/agreement.h"

#include <gtest/gtest.h>

#include <thread>

#include "tests/collectives-bench/thread_exchange.h"

namespace muster::bench {
namespace {

using testing::run_ranks;

TimePoint soon() {
  return Clock::now() + std::chrono::seconds(20);
}

TEST(Agreement, GivesEveryRankAllPayloads) {
  run_ranks(3, [](Exchange& exchange) {
    const auto payloads = gather_or_fail(
        exchange, "h", std::string(1, static_cast<char>('a' + exchange.rank())), soon());
    ASSERT_TRUE(payloads);
    EXPECT_EQ(*payloads, (std::vector<std::string>{"a", "b", "c"}));
  });
}

TEST(Agreement, OneFailureFailsAllAndIsNamed) {
  run_ranks(3, [](Exchange& exchange) {
    const std::string host = "node" + std::to_string(exchange.rank());
    const Status own =
        exchange.rank() == 1 ? Status(failure(ErrorCode::kUnsupported, "no GPU")) : Status();
    const Status all = agree(exchange, host, own, soon());
    ASSERT_FALSE(all);
    EXPECT_EQ(all.error().code(), ErrorCode::kUnsupported);
    EXPECT_EQ(all.error().message(), exchange.rank() == 1 ? "no GPU" : "rank 1 (node1): no GPU");
  });
}

TEST(Agreement, TimeLeftIsNeverZero) {
  EXPECT_EQ(time_left(Clock::now() - std::chrono::hours(1)), Duration(1));
  EXPECT_GT(time_left(Clock::now() + std::chrono::hours(1)), std::chrono::minutes(59));
}

}  // namespace
}  // namespace muster::bench
