// TransferPlan: which pieces one rank receives, sends and copies in a collective, in order. Pure.
//
// Everything travels in slices. Three patterns make all operations:
//   ring   all_reduce in 2(n-1) steps (n-1 that add, n-1 that copy), reduce_scatter and all_gather
//          in n-1: what is received in one step is sent in the next, slice by slice;
//   chain  broadcast from the root on, reduce towards it: what is received is sent on, in one step;
//   pairs  alltoall in n-1 steps, each with another partner; sendrecv in one, to the right;
//          pingpong in two, of which the answer waits for all of the question.
// Chunks of an all_reduce may differ by one element and may be empty.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "collectives-bench/operation.h"

namespace muster::bench::fabric {

struct Slice {
  std::uint32_t step = 0;   // in which the slice travels
  std::uint32_t index = 0;  // in its chunk
  std::size_t offset = 0;   // elements
  std::size_t count = 0;    // elements, never 0

  bool operator==(const Slice&) const = default;
};

struct Receive {
  Slice slice;  // the offset is the output's, and the input's where it adds
  std::uint32_t peer = 0;
  bool adds = false;  // output = input + what came; else output = what came

  bool operator==(const Receive&) const = default;
};

struct Send {
  Slice slice;  // the offset is that of the buffer it comes from
  std::uint32_t peer = 0;
  std::optional<std::size_t> after;  // the receive whose result it sends; empty: it sends input
  bool after_all = false;            // waits for every receive of the plan

  bool operator==(const Send&) const = default;
};

struct LocalCopy {  // from input to output; nothing where they are one place
  std::size_t from = 0;
  std::size_t to = 0;
  std::size_t count = 0;

  bool operator==(const LocalCopy&) const = default;
};

struct TransferPlan {
  Operation operation = Operation::kAllReduce;
  std::vector<Receive> receives;  // in step order
  std::vector<Send> sends;        // in step order
  LocalCopy copy;
  std::uint32_t steps = 0;
};

// Offsets of the output are those of a buffer that holds the whole: a reduce_scatter uses the
// other ranks' parts of it for sums on their way, and leaves its result at rank * count.
// rank < ranks, slice_elements >= 1.
TransferPlan plan_transfers(const Collective& collective, std::size_t rank, std::size_t ranks,
                            std::size_t slice_elements);

}  // namespace muster::bench::fabric
