#include "collectives-bench/busbw.h"

#include <gtest/gtest.h>

namespace muster::bench {
namespace {

TEST(Busbw, IsDecimalGigabytesASecond) {
  EXPECT_DOUBLE_EQ(algorithm_bandwidth(1'000'000'000, 1e6), 1.0);
  EXPECT_DOUBLE_EQ(algorithm_bandwidth(64ull << 20, 48.0), 67108864.0 / 48.0 / 1e3);
}

TEST(Busbw, ATimeThatIsNotPositiveGivesNoBandwidth) {
  EXPECT_EQ(algorithm_bandwidth(1024, 0.0), 0.0);
  EXPECT_EQ(algorithm_bandwidth(1024, -1.0), 0.0);
}

TEST(Busbw, CountsWhatALinkCarries) {
  EXPECT_DOUBLE_EQ(all_reduce_bus_bandwidth(10.0, 2), 10.0);
  EXPECT_DOUBLE_EQ(all_reduce_bus_bandwidth(10.0, 4), 15.0);
  EXPECT_DOUBLE_EQ(all_reduce_bus_bandwidth(10.0, 16), 18.75);
}

TEST(Busbw, HasNcclTestsFactorOfEveryOperation) {
  EXPECT_DOUBLE_EQ(bus_factor(Operation::kAllReduce, 8), 1.75);
  EXPECT_DOUBLE_EQ(bus_factor(Operation::kAllGather, 8), 0.875);
  EXPECT_DOUBLE_EQ(bus_factor(Operation::kReduceScatter, 8), 0.875);
  EXPECT_DOUBLE_EQ(bus_factor(Operation::kAllToAll, 8), 0.875);
  EXPECT_DOUBLE_EQ(bus_factor(Operation::kBroadcast, 8), 1.0);
  EXPECT_DOUBLE_EQ(bus_factor(Operation::kReduce, 8), 1.0);
  EXPECT_DOUBLE_EQ(bus_factor(Operation::kSendRecv, 8), 1.0);
  EXPECT_DOUBLE_EQ(bus_factor(Operation::kPingPong, 8), 1.0);
  EXPECT_DOUBLE_EQ(bus_factor(Operation::kSendRecv, 1), 1.0);
}

TEST(Busbw, OneRankHasNoBus) {
  EXPECT_EQ(all_reduce_bus_bandwidth(1500.0, 1), 0.0);
  EXPECT_EQ(all_reduce_bus_bandwidth(1500.0, 0), 0.0);
}

}  // namespace
}  // namespace muster::bench
