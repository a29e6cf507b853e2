#include "collectives-bench/nccl_lines.h"

#include <gtest/gtest.h>

namespace muster::bench {
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

TEST(NcclLines, TellTheAlgorithmOfTheLargestOperation) {
  EXPECT_EQ(read_nccl_lines("n1:7:7 [0] NCCL INFO AllReduce: 268435456 Bytes -> Algo NVLS proto "
                            "SIMPLE channel{Lo..Hi}={0..15}\n"
                            "n1:7:7 [0] NCCL INFO AllReduce: 8 Bytes -> Algo TREE proto LL "
                            "channel{Lo..Hi}={0..1}\n")
                .algorithm,
            "NVLS");
  EXPECT_EQ(read_nccl_lines("NCCL INFO 8 Bytes -> Algo 0 proto 0 time 9.1\n"
                            "NCCL INFO 1024 Bytes -> Algo 1 proto 2 time 9.1\n")
                .algorithm,
            "Ring");
  EXPECT_EQ(read_nccl_lines("NCCL INFO 8 Bytes -> Algo 77 proto 0 time 9.1\n").algorithm, "");
  EXPECT_EQ(read_nccl_lines(" Bytes -> Algo RING").algorithm, "Ring");
  EXPECT_EQ(read_nccl_lines("8 Bytes -> Algo NVLS_TREE proto LL").algorithm, "NVLSTree");
  EXPECT_EQ(read_nccl_lines("8 Bytes -> Algo NEW_ONE proto LL").algorithm, "NEW_ONE");
  NcclFacts facts;
  merge_nccl_facts(facts, read_nccl_lines("1 Bytes -> Algo RING proto LL"));
  merge_nccl_facts(facts, NcclFacts{});
  EXPECT_EQ(facts.algorithm, "Ring");
}

TEST(NcclLines, TellWhetherThereIsNvls) {
  EXPECT_EQ(read_nccl_lines("NVLS multicast support is available on dev 0").nvls, "available");
  EXPECT_EQ(
      read_nccl_lines("NVLS multicast support is not available on dev 0 (NVLS_NCHANNELS 0)").nvls,
      "not available");
  NcclFacts facts = read_nccl_lines("NVLS multicast support is not available on dev 0");
  merge_nccl_facts(facts, read_nccl_lines("NVLS multicast support is available on dev 1"));
  EXPECT_EQ(facts.nvls, "not available") << "one GPU without it is enough";
}

TEST(NcclLines, DescribeTheNetwork) {
  EXPECT_EQ(describe_network(read_nccl_lines(kEfa)), "Libfabric (efa, aws-ofi-nccl 1.16.3)");
  EXPECT_EQ(describe_network(read_nccl_lines("Using network Socket")), "Socket");
  EXPECT_EQ(describe_network(read_nccl_lines("Using network IB")), "IB");
  EXPECT_EQ(describe_network({}), "");
}

TEST(NcclLines, SayNothingWithoutLines) {
  EXPECT_EQ(read_nccl_lines(""), NcclFacts{});
  EXPECT_EQ(read_nccl_lines("loss 0.1\nNCCL version \n"), NcclFacts{});
  EXPECT_EQ(read_nccl_lines("Using network \x1b[31mSocket").network, "[31mSocket");
}

}  // namespace
}  // namespace muster::bench
