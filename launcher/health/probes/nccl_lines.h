// What NCCL says about itself under NCCL_DEBUG=INFO: its version, its plug-in, and the network that
// it really uses. NCCL tells of a plug-in that fails only in passing and goes on over TCP sockets;
// so its own word is the evidence, not what is installed. Pure.
//
//   NCCL version 2.28.3+cuda12.9
//   NET/OFI Initializing aws-ofi-nccl 1.16.3
//   NET/OFI Selected provider is efa, fabric is efa-direct (found 32 nics)
//   Using network Libfabric
//   Channel 00/0 : 0[0] -> 8[0] [send] via NET/AWS Libfabric/0/GDRDMA
//
// Written from the sources of NCCL 2.30 and aws-ofi-nccl, with the spellings of older versions.
#pragma once

#include <string_view>

#include "launcher/health/probes/health_facts.h"

namespace muster::health {

// Of one or more processes; of lines that contradict each other the last holds, but a network of
// "Socket" is never overwritten: one rank that fell back is enough.
NcclFacts read_nccl_lines(std::string_view text);

// The same rule for the facts of two processes.
void merge_nccl_facts(NcclFacts& into, const NcclFacts& other);

}  // namespace muster::health
