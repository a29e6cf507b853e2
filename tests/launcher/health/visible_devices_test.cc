#include "launcher/health/visible_devices.h"

#include <gtest/gtest.h>

namespace muster::health {
namespace {

using Names = std::vector<std::string>;

const Names kFour = {"GPU-aa11", "GPU-aa22", "GPU-bb33", "GPU-cc44"};

Names visible(std::optional<std::string_view> list, const Names& present = kFour) {
  const GpuView view = view_gpus(list, present);
  EXPECT_EQ(view.reachable, present);
  return view.visible;
}

TEST(VisibleDevices, AreAllWithoutTheVariable) {
  EXPECT_EQ(visible(std::nullopt), kFour);
}

TEST(VisibleDevices, AreNoneForAnEmptyListAndForMinusOne) {
  EXPECT_EQ(visible(""), Names{});
  EXPECT_EQ(visible("-1"), Names{});
  EXPECT_EQ(visible("NoDevFiles"), Names{});  // what Slurm sets for a step without GPUs
}

TEST(VisibleDevices, FollowTheOrderOfTheNumbers) {
  EXPECT_EQ(visible("2,0"), (Names{"GPU-bb33", "GPU-aa11"}));
  EXPECT_EQ(visible(" 3 , +1"), (Names{"GPU-cc44", "GPU-aa22"}));
}

TEST(VisibleDevices, EndAtTheFirstWordThatIsNoGpu) {
  EXPECT_EQ(visible("0,2,-1,1"), (Names{"GPU-aa11", "GPU-bb33"}));
  EXPECT_EQ(visible("0,4,1"), Names{"GPU-aa11"});
  EXPECT_EQ(visible("0,99999999999999999999,1"), Names{"GPU-aa11"});
  EXPECT_EQ(visible("1,,0"), Names{"GPU-aa22"});
  EXPECT_EQ(visible("1,GPU-aa11"), Names{"GPU-aa22"});
  EXPECT_EQ(visible("GPU-aa11,1"), Names{"GPU-aa11"});
  EXPECT_EQ(visible("GPU-cc44,GPU-dd55,GPU-aa11"), Names{"GPU-cc44"});
}

TEST(VisibleDevices, ReadNumbersAsStrtoulDoes) {
  EXPECT_EQ(visible("1gpu2,2ampere"), (Names{"GPU-aa22", "GPU-bb33"}));
}

TEST(VisibleDevices, TakeTheFirstCharactersOfAUuidWhileTheyNameOneGpu) {
  EXPECT_EQ(visible("GPU-c,GPU-aa2"), (Names{"GPU-cc44", "GPU-aa22"}));
  EXPECT_EQ(visible("GPU-b,GPU-aa,GPU-c"), Names{"GPU-bb33"});
  EXPECT_EQ(visible("GPU-", {"GPU-aa11"}), Names{"GPU-aa11"});
}

TEST(VisibleDevices, AreNoneWhenOneIsNamedTwice) {
  EXPECT_EQ(visible("1,1"), Names{});
  EXPECT_EQ(visible("0,9,0"), Names{});
  EXPECT_EQ(visible("GPU-aa1,GPU-aa11"), Names{});
}

TEST(VisibleDevices, OfMigInstancesAreTheFirstAlone) {
  const GpuView view = view_gpus("MIG-GPU-aa11/1/0,MIG-GPU-aa11/2/0", kFour);
  EXPECT_EQ(view.visible, Names{"MIG-GPU-aa11/1/0"});
  EXPECT_EQ(view.reachable.back(), "MIG-GPU-aa11/1/0");
  EXPECT_EQ(view.reachable.size(), kFour.size() + 1);
}

TEST(VisibleDevices, AreNoneWhereNoGpuIs) {
  EXPECT_EQ(visible(std::nullopt, {}), Names{});
  EXPECT_EQ(visible("0", {}), Names{});
  EXPECT_EQ(visible("MIG-GPU-aa11/1/0", {}), Names{});
}

}  // namespace
}  // namespace muster::health
