#include "rendezvous/host_addresses.h"

#include <gtest/gtest.h>

namespace muster::rendezvous {
namespace {

using Strings = std::vector<std::string>;

LookedUpHosts node1() {
  return {{{"node1",
            "",
            {{"127.0.1.1", AddressKind::kLoopback},
             {"172.17.0.1", AddressKind::kOurs},
             {"10.0.0.1", AddressKind::kElsewhere},
             {"fd00::1", AddressKind::kElsewhere}}}}};
}

TEST(UsableAddresses, LeaveOutLoopbackAndOurOwnOnAnotherHost) {
  const UsableAddresses usable = usable_addresses(node1(), false);
  EXPECT_EQ(usable.addresses, (Strings{"10.0.0.1", "fd00::1"}));
  EXPECT_EQ(usable.remarks,
            (Strings{"node1: ignoring 127.0.1.1, a loopback address (see /etc/hosts)",
                     "node1: ignoring 172.17.0.1, an address of this node itself"}));
}

TEST(UsableAddresses, AreAllOfThemOnTheHostItself) {
  EXPECT_EQ(usable_addresses(node1(), true).addresses,
            (Strings{"127.0.1.1", "172.17.0.1", "10.0.0.1", "fd00::1"}));
}

TEST(UsableAddresses, SayWhyANameHasNone) {
  const UsableAddresses usable =
      usable_addresses({{{"node9", "Name or service not known", {}}}}, false);
  EXPECT_TRUE(usable.addresses.empty());
  EXPECT_EQ(usable.remarks, (Strings{"node9: Name or service not known"}));
}

TEST(UsableAddresses, AppearOnceThoughTwoNamesGiveThem) {
  LookedUpHosts twice = node1();
  twice.hosts.push_back(twice.hosts[0]);
  EXPECT_EQ(usable_addresses(twice, false).addresses, (Strings{"10.0.0.1", "fd00::1"}));
}

}  // namespace
}  // namespace muster::rendezvous
