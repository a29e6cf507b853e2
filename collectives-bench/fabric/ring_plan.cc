#include "collectives-bench/fabric/ring_plan.h"

#include <algorithm>

#include "rendezvous/base/check.h"

namespace muster::bench::fabric {

namespace {

struct Buffer {
  std::size_t ranks;
  std::size_t count;
  std::size_t slice_elements;

  // Without overflow for any count: the first count % ranks chunks have one element more.
  std::size_t chunk_begin(std::size_t chunk) const {
    return chunk * (count / ranks) + std::min(chunk, count % ranks);
  }
};

void append_chunk(const Buffer& buffer, std::size_t chunk, std::uint32_t step,
                  std::vector<Slice>& slices) {
  const std::size_t end = buffer.chunk_begin(chunk + 1);
  std::uint32_t index = 0;
  for (std::size_t offset = buffer.chunk_begin(chunk); offset < end;) {
    const std::size_t part = std::min(buffer.slice_elements, end - offset);
    slices.push_back({step, index++, offset, part});
    offset += part;
  }
}

}  // namespace

RingPlan plan_ring(std::size_t rank, std::size_t ranks, std::size_t count,
                   std::size_t slice_elements) {
  MUSTER_CHECK(rank < ranks && slice_elements > 0);
  RingPlan plan;
  plan.reducing_steps = static_cast<std::uint32_t>(ranks - 1);
  const Buffer buffer{ranks, count, slice_elements};
  const auto steps = static_cast<std::uint32_t>(2 * (ranks - 1));
  for (std::uint32_t step = 0; step < steps; ++step) {
    const std::size_t sent = (rank + 2 * ranks - step) % ranks;
    append_chunk(buffer, sent, step, plan.sends);
    if (step == 0) plan.own_sends = plan.sends.size();
    append_chunk(buffer, (sent + ranks - 1) % ranks, step, plan.receives);
  }
  return plan;
}

}  // namespace muster::bench::fabric
