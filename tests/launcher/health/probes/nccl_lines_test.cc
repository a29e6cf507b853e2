#include "launcher/health/probes/nccl_lines.h"

#include <gtest/gtest.h>

namespace muster::health {
namespace {

constexpr const char* kEfa =
    "n1:7:7 [0] NCCL INFO NCCL version 2.28.3+cuda12.9\n"
    "n1:7:7 [0] NCCL INFO NET/OFI Initializing aws-ofi-nccl 1.16.3\n"
    "n1:7:7 [0] NCCL INFO NET/OFI Selected provider is efa, fabric is efa-direct (found 32 nics)\n"
    "n1:7:9 [0] NCCL INFO Using network Libfabric\n"
    "n1:7:9 [0] NCCL INFO Channel 00/0 : 0[0] -> 8[0] [send] via NET/AWS Libfabric/0/GDRDMA\n"
    "n1:7:9 [0] NCCL INFO Channel 01/0 : 0[0] -> 8[0] [send] via NET/AWS Libfabric/0\n";

TEST(NcclLines, TellThatEfaIsUsed) {
  EXPECT_EQ(read_nccl_lines(kEfa), (NcclFacts{"2.28.3", "1.16.3", "Libfabric", "efa", 32, 2, 1}));
}

TEST(NcclLines, KnowTheOlderSpellings) {
  const NcclFacts facts = read_nccl_lines(
      "NCCL INFO NET/OFI Selected Provider is efa (found 4 nics)\n"
      "NCCL INFO Using network AWS Libfabric\n");
  EXPECT_EQ(facts.provider, "efa");
  EXPECT_EQ(facts.nics, 4U);
  EXPECT_EQ(facts.network, "Libfabric");
}

TEST(NcclLines, TellOfTheFallBackToSockets) {
  const NcclFacts facts = read_nccl_lines(
      "NCCL INFO NET/Plugin: Could not find: libnccl-net.so\r\nNCCL INFO Using network Socket\r\n");
  EXPECT_EQ(facts.network, "Socket");
  EXPECT_EQ(facts.provider, "");
}

TEST(NcclLines, KeepTheWorstRankOfSeveral) {
  NcclFacts facts = read_nccl_lines("Using network Socket\n");
  merge_nccl_facts(facts, read_nccl_lines(kEfa));
  EXPECT_EQ(facts, (NcclFacts{"2.28.3", "1.16.3", "Socket", "efa", 32, 2, 1}));
}

TEST(NcclLines, SayNothingWithoutLines) {
  EXPECT_EQ(read_nccl_lines(""), NcclFacts{});
  EXPECT_EQ(read_nccl_lines("loss 0.1\nNCCL version \n"), NcclFacts{});
  EXPECT_EQ(read_nccl_lines("Using network \x1b[31mSocket").network, "[31mSocket");
}

}  // namespace
}  // namespace muster::health
