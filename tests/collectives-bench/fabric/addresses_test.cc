#include "collectives-bench/fabric/addresses.h"

#include <gtest/gtest.h>

namespace muster::bench::fabric {
namespace {

const std::vector<LocalAddress> kNode = {
    {.interface = "lo", .address = "127.0.0.1", .loopback = true},
    {.interface = "docker0", .address = "172.17.0.1"},
    {.interface = "eth0", .address = "fd00::5", .is_v6 = true},
    {.interface = "eth0", .address = "10.0.0.5"},
    {.interface = "ib0", .address = "10.9.0.5"},
};

std::string chosen(const AddressWish& wish) {
  const auto address = choose_address(kNode, wish);
  return address ? address->address : "error: " + address.error().message();
}

TEST(Addresses, TheInterfaceAskedForComesFirst) {
  EXPECT_EQ(chosen({.interface = "ib0", .preferred = "10.0.0.5", .one_node = true}), "10.9.0.5");
  EXPECT_EQ(chosen({.interface = "lo", .preferred = "", .one_node = true}), "127.0.0.1");
}

TEST(Addresses, LoopbackIsRefusedWhereThereAreOtherNodes) {
  EXPECT_EQ(
      chosen({.interface = "lo", .preferred = "10.0.0.5"}),
      "error: --interface lo: it has loopback addresses only, which no other node can reach; "
      "there are lo 127.0.0.1, docker0 172.17.0.1, eth0 fd00::5, eth0 10.0.0.5, ib0 10.9.0.5");
  // As where hosts announce an address of lo to their switches.
  std::vector<LocalAddress> routed = kNode;
  routed.push_back({.interface = "lo", .address = "10.1.1.1", .loopback = true});
  const auto address = choose_address(routed, {.interface = "lo", .preferred = ""});
  ASSERT_TRUE(address) << address.error().message();
  EXPECT_EQ(address->address, "10.1.1.1");
}

TEST(Addresses, AnUnknownInterfaceIsAnErrorThatListsTheOthers) {
  EXPECT_EQ(chosen({.interface = "eth7", .preferred = ""}),
            "error: --interface eth7: it has no address or is down; there are lo 127.0.0.1, "
            "docker0 172.17.0.1, eth0 fd00::5, eth0 10.0.0.5, ib0 10.9.0.5");
}

TEST(Addresses, RanksOfOneNodeMeetOverLoopback) {
  EXPECT_EQ(chosen({.interface = "", .preferred = "10.0.0.5", .one_node = true}), "127.0.0.1");
}

TEST(Addresses, TheAddressThatPeersReachedIsPreferred) {
  EXPECT_EQ(chosen({.interface = "", .preferred = "10.9.0.5"}), "10.9.0.5");
}

TEST(Addresses, OtherwiseNeitherLoopbackNorAContainersBridge) {
  EXPECT_EQ(chosen({.interface = "", .preferred = ""}), "10.0.0.5");
  EXPECT_EQ(chosen({.interface = "", .preferred = "127.0.0.1"}), "10.0.0.5");
  EXPECT_EQ(chosen({.interface = "", .preferred = "10.77.0.1"}), "10.0.0.5");
  EXPECT_TRUE(is_container_interface("docker0"));
  EXPECT_TRUE(is_container_interface("veth1a2b"));
  EXPECT_FALSE(is_container_interface("bond0"));
}

TEST(Addresses, V6ServesWhereThereIsNoV4) {
  const auto address = choose_address({kNode[0], kNode[2]}, {.interface = "", .preferred = ""});
  ASSERT_TRUE(address);
  EXPECT_EQ(address->address, "fd00::5");
}

TEST(Addresses, ANodeWithoutANetworkSaysSo) {
  const auto address = choose_address({kNode[0], kNode[1]}, {.interface = "", .preferred = ""});
  ASSERT_FALSE(address);
  EXPECT_EQ(address.error().code(), ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace muster::bench::fabric
