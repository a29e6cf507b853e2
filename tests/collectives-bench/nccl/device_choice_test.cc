#include "collectives-bench/nccl/device_choice.h"

#include <gtest/gtest.h>

#include "collectives-bench/slot.h"

namespace muster::bench::nccl {
namespace {

Seat seat(std::uint32_t local_rank, std::uint32_t local_size, Slot slot = {}) {
  Seat seat;
  seat.local_rank = local_rank;
  seat.local_size = local_size;
  seat.slot = slot.index;
  seat.slots = slot.count;
  return seat;
}

TEST(DeviceChoice, TakesTheGpuOfItsLocalRank) {
  EXPECT_EQ(choose_device(seat(3, 8), 8, false), 3);
  EXPECT_EQ(choose_device(seat(1, 2), 8, false), 1);
}

TEST(DeviceChoice, TakesTheOnlyOneThatItSees) {
  EXPECT_EQ(choose_device(seat(5, 8), 1, false), 0);
}

TEST(DeviceChoice, SlotsShareOutTheGpusOfTheirTask) {
  EXPECT_EQ(choose_device(seat(5, 8, {5, 8}), 8, false), 5) << "one task";
  EXPECT_EQ(choose_device(seat(5, 8, {1, 4}), 4, false), 1) << "two tasks, each bound to its four";
  EXPECT_EQ(choose_device(seat(5, 8, {1, 4}), 8, false), 5) << "two tasks that see all eight";
}

TEST(DeviceChoice, FewerGpusThanProcessesIsAnErrorWithTheCure) {
  const auto device = choose_device(seat(1, 8), 4, false);
  ASSERT_FALSE(device);
  EXPECT_NE(device.error().message().find("--ntasks-per-node=4"), std::string::npos);
  EXPECT_EQ(choose_device(seat(5, 8), 4, true), 1);
}

TEST(DeviceChoice, MoreSlotsThanGpusIsAnErrorWithTheCure) {
  const auto device = choose_device(seat(0, 8, {0, 8}), 1, false);
  ASSERT_FALSE(device) << "eight ranks must not take the one GPU";
  EXPECT_NE(device.error().message().find("write -g 1"), std::string::npos)
      << device.error().message();
}

TEST(DeviceChoice, NoGpuCannotRun) {
  EXPECT_EQ(choose_device(seat(0, 1), 0, true).error().code(), ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace muster::bench::nccl
