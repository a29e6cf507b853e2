#include <gtest/gtest.h>

#include "tests/launcher/health/probes/healthy_node.h"

namespace muster::health {
namespace {

constexpr const char* kNoEfa = "SKIP the profile expects no EFA";

TEST(ProbeEfaCount, FailsForAMissingDevice) {
  TwoLooks looks;
  EXPECT_EQ(looks.answer("efa_count").value, "32 of 32");
  looks.after.host.nics.value->pop_back();
  looks.after.host.nics.value->push_back({"mlx5_0", "0x15b3", "ACTIVE", 100, {}});
  EXPECT_EQ(looks.line("efa_count"), "FAIL there are 31 EFA devices; the profile expects 32");
  looks.expected.nics.count.reset();
  EXPECT_EQ(looks.line("efa_count"), "PASS ");
  looks.after.host.nics.value->clear();
  EXPECT_EQ(looks.line("efa_count"), "FAIL there is no EFA device; the profile expects them");
  looks.after.host_problem = "the look at the host did not answer in 5 s";
  EXPECT_EQ(looks.line("efa_count"), "SKIP the look at the host did not answer in 5 s");
  looks.expected.nics.is_efa = false;
  EXPECT_EQ(looks.line("efa_count"), kNoEfa);
}

TEST(ProbeEfaLink, FailsForALinkThatIsDownAndWarnsOfASlowOne) {
  TwoLooks looks;
  looks.after.host.nics.value->at(1).rate_gbit = 50;
  EXPECT_EQ(looks.line("efa_link"),
            "WARN rdmap80s0: its link has 50 Gbit/s; the profile expects 100");
  looks.after.host.nics.value->at(0).state = "DOWN";
  EXPECT_EQ(looks.line("efa_link"), "FAIL rdmap79s0: its link is DOWN; expected ACTIVE");
  EXPECT_EQ(looks.answer("efa_link").subjects, (std::vector<std::string>{"rdmap79s0"}));
  looks.expected.nics.is_efa = false;
  EXPECT_EQ(looks.line("efa_link"), kNoEfa);
}

TEST(ProbeEfaErrors, WarnsOfCountersThatGrew) {
  TwoLooks looks;
  looks.after.host.nics.value->at(3).counters["rx_bytes"] = 1'000'000;
  EXPECT_EQ(looks.line("efa_errors"), "PASS ");
  looks.after.host.nics.value->at(3).counters["retrans_timeout_events"] = 8;
  EXPECT_EQ(looks.line("efa_errors"),
            "WARN rdmap82s0: retrans_timeout_events grew by 5 during the check");
  for (NicFacts& nic : *looks.after.host.nics.value) nic.counters.clear();
  EXPECT_EQ(looks.answer("efa_errors").answer, Answer::kSkip);
  looks.expected.nics.is_efa = false;
  EXPECT_EQ(looks.line("efa_errors"), kNoEfa);
}

TEST(ProbeModules, FailsForAMissingDriver) {
  TwoLooks looks;
  looks.after.host.modules = {"efa", "ib_uverbs"};
  EXPECT_EQ(looks.line("modules"), "WARN the kernel module gdrdrv is not loaded");
  looks.after.host.modules = {"ib_uverbs"};
  EXPECT_EQ(looks.line("modules"), "FAIL the kernel module efa is not loaded");
  looks.expected.nics.is_efa = false;
  EXPECT_EQ(looks.line("modules"), kNoEfa);
}

TEST(ProbePlugIn, WarnsWhenNoneIsInstalledNorUsed) {
  TwoLooks looks;
  EXPECT_EQ(looks.answer("plug_in").value, "used: 1.16.3");
  looks.after.nccl = {};
  EXPECT_EQ(looks.answer("plug_in").value, "/opt/amazon/ofi-nccl/lib/libnccl-net.so");
  looks.after.host.plugins.clear();
  EXPECT_TRUE(looks.line("plug_in").starts_with("WARN no network plug-in of NCCL in"));
  looks.expected.nics.is_efa = false;
  EXPECT_EQ(looks.line("plug_in"), kNoEfa);
}

TEST(ProbeNetwork, FailsWhenNcclFellBackToSockets) {
  TwoLooks looks;
  EXPECT_EQ(looks.answer("network").value, "Libfabric (efa, aws-ofi-nccl 1.16.3)");
  looks.after.nccl = {"2.28.3", "", "Socket", "", 0, 0, 0};
  EXPECT_TRUE(looks.line("network").starts_with(
      "FAIL NCCL fell back to TCP sockets on a machine that has EFA"));
  looks.after.nccl.network = "IB";
  EXPECT_TRUE(looks.line("network").starts_with("FAIL NCCL uses its own InfiniBand transport"));
  looks.after.nccl = {"2.28.3", "1.16.3", "Libfabric", "tcp;ofi_rxm", 32, 0, 0};
  EXPECT_EQ(looks.line("network"), "FAIL the plug-in chose the provider tcp;ofi_rxm; expected efa");
  looks.expected.nics.is_efa = false;
  EXPECT_EQ(looks.line("network"), "PASS ");
}

TEST(ProbeNetwork, WarnsOfMissingNicsAndOfHostStaging) {
  TwoLooks looks;
  looks.after.nccl.nics = 31;
  looks.after.nccl.direct_channels = 60;
  EXPECT_EQ(looks.line("network"),
            "WARN the plug-in found 31 NICs; the profile expects 32; 4 of 64 network channels go "
            "without GPUDirect RDMA, through the host's memory");
  looks.after.nccl = {};
  EXPECT_EQ(looks.line("network"), "SKIP NCCL did not say which network it uses");
  looks.after.nccl.version = "2.28.3";
  EXPECT_EQ(looks.line("network"),
            "SKIP NCCL did not say which network it uses (is NCCL_DEBUG set?)");
}

TEST(ProbeNetwork, OfOneNodeAloneSocketsAreNoFault) {
  TwoLooks looks;
  looks.expected.needs_network = false;
  looks.after.nccl = {"2.28.3", "", "Socket", "", 0, 0, 0};
  EXPECT_TRUE(looks.line("network").starts_with("WARN NCCL fell back to TCP sockets"));
  EXPECT_TRUE(looks.line("network").ends_with("(of no harm on one node)"));
}

}  // namespace
}  // namespace muster::health
