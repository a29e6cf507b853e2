#include "launcher/coordinator/node_directory.h"

#include <gtest/gtest.h>

namespace muster::launcher {
namespace {

TEST(NodeDirectory, KnowsWhoSpeaksForAnAddress) {
  NodeDirectory nodes;
  nodes.add("10.0.0.1", MemberIndex{0});
  nodes.add("10.0.0.2", MemberIndex{8});
  nodes.add("10.0.0.2", MemberIndex{8});
  EXPECT_EQ(nodes.lead_agent_at("10.0.0.2"), MemberIndex{8});
  EXPECT_FALSE(nodes.lead_agent_at("10.0.0.3"));
  EXPECT_FALSE(nodes.knows("10.0.0.3"));
}

TEST(NodeDirectory, AnAddressOfSeveralNodesIsKnownAndNobodys) {
  NodeDirectory nodes;
  for (std::uint32_t node = 0; node < 3; ++node) nodes.add("172.17.0.1", MemberIndex{node});
  EXPECT_TRUE(nodes.knows("172.17.0.1"));
  EXPECT_FALSE(nodes.lead_agent_at("172.17.0.1"));
}

TEST(NodeDirectory, LoopbackTellsNoNode) {
  NodeDirectory nodes;
  for (const std::string address : {"", "127.0.0.1", "127.0.1.1", "::1"}) {
    nodes.add(address, MemberIndex{1});
    EXPECT_FALSE(nodes.knows(address)) << address;
  }
}

}  // namespace
}  // namespace muster::launcher
