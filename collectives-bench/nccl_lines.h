// What NCCL says about itself under NCCL_DEBUG=INFO: its version, its plug-in, the network that it
// really uses, the algorithm. NCCL tells of a plug-in that fails only in passing and goes on over
// TCP sockets; so its own word is the evidence, not what is installed. Pure.
//
//   NCCL version 2.28.3+cuda12.9
//   NET/OFI Initializing aws-ofi-nccl 1.16.3
//   NET/OFI Selected provider is efa, fabric is efa-direct (found 32 nics)
//   Using network Libfabric
//   NVLS multicast support is available on dev 0
//   Channel 00/0 : 0[0] -> 8[0] [send] via NET/AWS Libfabric/0/GDRDMA
//   AllReduce: 268435456 Bytes -> Algo NVLS proto SIMPLE channel{Lo..Hi}={0..15}
//
// Written from the sources of NCCL 2.18 to 2.30 and aws-ofi-nccl, with the spellings of all.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace muster::bench {

struct NcclFacts {
  std::string version;
  std::string plugin_version;
  std::string network;                // "Libfabric", "IB", "Socket"; "" when the line was not seen
  std::string provider;               // of the plug-in: "efa"
  std::uint64_t nics = 0;             // that the plug-in found
  std::uint64_t net_channels = 0;     // told on both sides, the sending and the receiving
  std::uint64_t direct_channels = 0;  // of them, with GPUDirect RDMA
  std::string nvls = {};              // "available", "not available"; "" when it was not told
  // Of the largest operation, as NCCL_ALGO spells it: "Ring", "NVLSTree". Only the first rank of a
  // communicator is told, by NCCL 2.20 and later.
  std::string algorithm = {};

  bool operator==(const NcclFacts&) const = default;
};

// Of one or more processes; of lines that contradict each other the last holds, but a network of
// "Socket" is never overwritten: one rank that fell back is enough.
NcclFacts read_nccl_lines(std::string_view text);

// The same rule for the facts of two processes.
void merge_nccl_facts(NcclFacts& into, const NcclFacts& other);

// "Libfabric (efa, aws-ofi-nccl 1.16.3)"; "" when the network was not told.
std::string describe_network(const NcclFacts& facts);

}  // namespace muster::bench
