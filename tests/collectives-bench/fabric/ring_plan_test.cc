#include "collectives-bench/fabric/ring_plan.h"

#include <gtest/gtest.h>

#include <deque>

namespace muster::bench::fabric {
namespace {

// Runs the plans of all ranks on buffers in memory, as the ring does, and gives the results.
std::vector<std::vector<double>> play(std::size_t ranks, std::size_t count, std::size_t slice) {
  std::vector<std::vector<double>> buffers(ranks, std::vector<double>(count));
  std::vector<RingPlan> plans;
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    for (std::size_t i = 0; i < count; ++i) {
      buffers[rank][i] = static_cast<double>((rank + 1) * 1000 + i);
    }
    plans.push_back(plan_ring(rank, ranks, count, slice));
  }
  std::vector<std::size_t> sent(ranks, 0);
  std::vector<std::size_t> received(ranks, 0);
  std::vector<std::deque<std::vector<double>>> wires(ranks);  // into each rank
  for (bool moved = true; moved;) {
    moved = false;
    for (std::size_t rank = 0; rank < ranks; ++rank) {
      const RingPlan& plan = plans[rank];
      while (sent[rank] < plan.sends.size() &&
             (sent[rank] < plan.own_sends || sent[rank] - plan.own_sends < received[rank])) {
        const Slice& out = plan.sends[sent[rank]++];
        const auto begin = buffers[rank].begin() + static_cast<std::ptrdiff_t>(out.offset);
        wires[(rank + 1) % ranks].emplace_back(begin,
                                               begin + static_cast<std::ptrdiff_t>(out.count));
        moved = true;
      }
      while (!wires[rank].empty()) {
        const Slice& in = plan.receives[received[rank]++];
        EXPECT_EQ(wires[rank].front().size(), in.count);
        for (std::size_t i = 0; i < in.count; ++i) {
          double& target = buffers[rank][in.offset + i];
          target = wires[rank].front()[i] + (plan.adds(in) ? target : 0.0);
        }
        wires[rank].pop_front();
        moved = true;
      }
    }
  }
  for (std::size_t rank = 0; rank < ranks; ++rank) {
    EXPECT_EQ(sent[rank], plans[rank].sends.size());
    EXPECT_EQ(received[rank], plans[rank].receives.size());
  }
  return buffers;
}

TEST(RingPlan, GivesEveryRankTheSumForManyShapes) {
  for (const std::size_t ranks : {2u, 3u, 4u, 7u, 16u}) {
    for (const std::size_t count : {1u, 2u, 5u, 16u, 100u, 1021u}) {
      for (const std::size_t slice : {1u, 3u, 64u, 5000u}) {
        SCOPED_TRACE(::testing::Message() << ranks << " ranks " << count << " by " << slice);
        for (const auto& buffer : play(ranks, count, slice)) {
          for (std::size_t i = 0; i < count; ++i) {
            const double all = static_cast<double>(ranks * (ranks + 1) / 2 * 1000 + ranks * i);
            ASSERT_EQ(buffer[i], all) << i;
          }
        }
      }
    }
  }
}

TEST(RingPlan, SendsAsMuchAsTheFormulaSays) {
  constexpr std::size_t kRanks = 4;
  constexpr std::size_t kCount = 4096;
  const RingPlan plan = plan_ring(1, kRanks, kCount, 100);
  std::size_t elements = 0;
  for (const Slice& slice : plan.sends) elements += slice.count;
  EXPECT_EQ(elements, 2 * (kRanks - 1) * kCount / kRanks);
}

TEST(RingPlan, OneRankHasNothingToDo) {
  const RingPlan plan = plan_ring(0, 1, 100, 10);
  EXPECT_TRUE(plan.sends.empty());
  EXPECT_TRUE(plan.receives.empty());
}

TEST(RingPlan, ASliceIsNeverEmpty) {
  const RingPlan plan = plan_ring(3, 8, 5, 2);
  for (const Slice& slice : plan.receives) EXPECT_GT(slice.count, 0u);
}

}  // namespace
}  // namespace muster::bench::fabric
