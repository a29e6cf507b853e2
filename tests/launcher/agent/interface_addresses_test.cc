#include "launcher/agent/interface_addresses.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace muster::launcher {
namespace {

TEST(InterfaceAddresses, LeaveLoopbackOut) {
  for (const std::string& address : interface_addresses()) {
    EXPECT_FALSE(address.starts_with("127.")) << address;
    EXPECT_NE(address, "::1");
  }
}

TEST(CheckInterface, RefusesTheOneThatLeadsToThisNodeOnly) {
  const Status lo = check_interface("lo");
  if (lo) GTEST_SKIP() << "this machine's lo has an address that others can reach";
  EXPECT_EQ(lo.error().code(), ErrorCode::kInvalidArgument);
  const std::string& text = lo.error().message();
  EXPECT_TRUE(
      text.starts_with("--interface=lo: it has loopback addresses only, which no other "
                       "node can reach; expected "))
      << text;
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 0) << text;
}

TEST(CheckInterface, LeavesOneThatIsNotHereToTheCheck) {
  EXPECT_TRUE(check_interface("no-such0"));
  EXPECT_TRUE(check_interface(""));
}

}  // namespace
}  // namespace muster::launcher
