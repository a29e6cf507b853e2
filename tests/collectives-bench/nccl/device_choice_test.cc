#include "collectives-bench/nccl/device_choice.h"

#include <gtest/gtest.h>

namespace muster::bench::nccl {
namespace {

TEST(DeviceChoice, TakesTheGpuOfItsLocalRank) {
  EXPECT_EQ(choose_device(3, 8, 8, false), 3);
  EXPECT_EQ(choose_device(1, 2, 8, false), 1);
}

TEST(DeviceChoice, TakesTheOnlyOneThatItSees) {
  EXPECT_EQ(choose_device(5, 8, 1, false), 0);
}

TEST(DeviceChoice, FewerGpusThanProcessesIsAnErrorWithTheCure) {
  const auto device = choose_device(1, 8, 4, false);
  ASSERT_FALSE(device);
  EXPECT_NE(device.error().message().find("--ntasks-per-node=4"), std::string::npos);
  EXPECT_EQ(choose_device(5, 8, 4, true), 1);
}

TEST(DeviceChoice, NoGpuCannotRun) {
  EXPECT_EQ(choose_device(0, 1, 0, true).error().code(), ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace muster::bench::nccl
