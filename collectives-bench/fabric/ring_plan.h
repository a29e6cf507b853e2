// RingPlan: which pieces of the buffer one rank of a ring all-reduce receives and sends, in order.
//
// The buffer is cut into one chunk a rank, each chunk into slices. In 2(n-1) steps every rank
// receives a chunk from its left neighbour and sends one to its right: n-1 steps that add
// (reduce-scatter), n-1 that copy (all-gather). What is received in one step is sent in the next,
// slice by slice: so the sends are the first step's own chunk, then every received slice but those
// of the last step. Chunks of an uneven buffer differ by one element and may be empty. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace muster::bench::fabric {

struct Slice {
  std::uint32_t step = 0;   // in which the slice travels
  std::uint32_t index = 0;  // in its chunk
  std::size_t offset = 0;   // elements
  std::size_t count = 0;    // elements, never 0

  bool operator==(const Slice&) const = default;
};

struct RingPlan {
  std::vector<Slice> receives;       // in step order
  std::vector<Slice> sends;          // in step order
  std::size_t own_sends = 0;         // sends that need no receive: the first step's
  std::uint32_t reducing_steps = 0;  // steps below this one add, the others copy

  // sends[i] may start when receives[i - own_sends] is done.
  bool adds(const Slice& slice) const { return slice.step < reducing_steps; }
};

// ranks >= 1, slice_elements >= 1. One rank: an empty plan.
RingPlan plan_ring(std::size_t rank, std::size_t ranks, std::size_t count,
                   std::size_t slice_elements);

}  // namespace muster::bench::fabric
