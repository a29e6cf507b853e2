#include "collectives-bench/fabric/transfer_plan.h"

#include <gtest/gtest.h>

#include <map>
#include <tuple>

#include "collectives-bench/pattern.h"

namespace muster::bench::fabric {
namespace {

// Runs the plans of all ranks on buffers in memory, as Transfers does on a network.
class World {
 public:
  World(const Collective& collective, std::size_t ranks, std::size_t slice)
      : collective_(collective),
        ranks_(ranks),
        shape_(shape_of(collective, ranks)),
        pattern_(ranks, shape_.larger(), 7) {
    for (std::size_t rank = 0; rank < ranks; ++rank) {
      Member member{plan_transfers(collective, rank, ranks, slice), {}, {}, 0, 0};
      member.input.resize(shape_.input);
      member.output.assign(shape_.larger(), -1.0f);
      pattern_.write_input(rank, 0, member.input);
      const LocalCopy& copy = member.plan.copy;
      for (std::size_t i = 0; i < copy.count; ++i) {
        member.output[copy.to + i] = member.input[copy.from + i];
      }
      members_.push_back(std::move(member));
    }
  }

  void play() {
    for (bool moved = true; moved;) {
      moved = false;
      for (std::uint32_t rank = 0; rank < ranks_; ++rank) {
        while (send_one(rank)) moved = true;
        while (receive_one(rank)) moved = true;
      }
    }
  }

  void expect_results() const {
    EXPECT_TRUE(wires_.empty()) << "something was sent that nobody takes";
    for (std::size_t rank = 0; rank < ranks_; ++rank) {
      const Member& member = members_[rank];
      EXPECT_EQ(member.sent, member.plan.sends.size());
      EXPECT_EQ(member.received, member.plan.receives.size());
      std::vector<float> expected(result_count(collective_, rank, ranks_));
      pattern_.write_result(collective_, rank, 0, expected);
      const bool own_part = collective_.operation == Operation::kReduceScatter;
      const auto result = std::span(member.output)
                              .subspan(own_part ? rank * collective_.count : 0, expected.size());
      EXPECT_EQ(count_differences(result, expected), 0u) << "rank " << rank;
    }
  }

 private:
  struct Member {
    TransferPlan plan;
    std::vector<float> input;
    std::vector<float> output;
    std::size_t sent;
    std::size_t received;
  };
  using Wire = std::tuple<std::uint32_t, std::uint32_t, std::uint32_t>;  // to, step, index

  bool send_one(std::uint32_t rank) {
    Member& member = members_[rank];
    if (member.sent == member.plan.sends.size()) return false;
    const Send& send = member.plan.sends[member.sent];
    if (send.after && *send.after >= member.received) return false;
    if (send.after_all && member.received < member.plan.receives.size()) return false;
    const std::vector<float>& source = send.after ? member.output : member.input;
    const auto begin = source.begin() + static_cast<std::ptrdiff_t>(send.slice.offset);
    const bool fresh =
        wires_
            .emplace(
                Wire{send.peer, send.slice.step, send.slice.index},
                std::vector<float>(begin, begin + static_cast<std::ptrdiff_t>(send.slice.count)))
            .second;
    EXPECT_TRUE(fresh) << "two messages with one tag to rank " << send.peer;
    ++member.sent;
    return true;
  }

  bool receive_one(std::uint32_t rank) {
    Member& member = members_[rank];
    if (member.received == member.plan.receives.size()) return false;
    const Receive& receive = member.plan.receives[member.received];
    const auto found = wires_.find(Wire{rank, receive.slice.step, receive.slice.index});
    if (found == wires_.end()) return false;
    EXPECT_EQ(found->second.size(), receive.slice.count);
    for (std::size_t i = 0; i < receive.slice.count; ++i) {
      const std::size_t place = receive.slice.offset + i;
      member.output[place] = found->second[i] + (receive.adds ? member.input[place] : 0.0f);
    }
    wires_.erase(found);
    ++member.received;
    return true;
  }

  Collective collective_;
  std::size_t ranks_;
  Shape shape_;
  Pattern pattern_;
  std::vector<Member> members_;
  std::map<Wire, std::vector<float>> wires_;
};

TEST(TransferPlan, GivesEveryRankItsResultForEveryOperationAndManyShapes) {
  for (const Operation operation : kOperations) {
    for (const std::size_t ranks : {1u, 2u, 3u, 4u, 7u}) {
      for (const std::size_t count : {1u, 2u, 5u, 100u, 1021u}) {
        for (const std::size_t slice : {1u, 3u, 64u, 5000u}) {
          for (const std::uint32_t root :
               {std::uint32_t{0}, static_cast<std::uint32_t>(ranks - 1)}) {
            SCOPED_TRACE(::testing::Message()
                         << to_string(operation) << " of " << ranks << " ranks, root " << root
                         << ", " << count << " by " << slice);
            World world({operation, root, count}, ranks, slice);
            world.play();
            world.expect_results();
          }
        }
      }
    }
  }
}

TEST(TransferPlan, SendsAsMuchAsTheFormulaSays) {
  constexpr std::size_t kRanks = 4;
  const auto sent = [](Operation operation, std::size_t count) {
    const TransferPlan plan = plan_transfers({operation, 0, count}, 1, kRanks, 100);
    std::size_t elements = 0;
    for (const Send& send : plan.sends) elements += send.slice.count;
    return elements;
  };
  EXPECT_EQ(sent(Operation::kAllReduce, 4096), 2 * (kRanks - 1) * 4096 / kRanks);
  EXPECT_EQ(sent(Operation::kAllGather, 1024), (kRanks - 1) * 1024);
  EXPECT_EQ(sent(Operation::kReduceScatter, 1024), (kRanks - 1) * 1024);
  EXPECT_EQ(sent(Operation::kAllToAll, 1024), (kRanks - 1) * 1024);
  EXPECT_EQ(sent(Operation::kBroadcast, 4096), 4096u);
  EXPECT_EQ(sent(Operation::kReduce, 4096), 4096u);
  EXPECT_EQ(sent(Operation::kSendRecv, 4096), 4096u);
  EXPECT_EQ(sent(Operation::kPingPong, 4096), 4096u);
}

TEST(TransferPlan, AllToAllMeetsAnotherPartnerInEveryStep) {
  const TransferPlan plan = plan_transfers({Operation::kAllToAll, 0, 8}, 2, 4, 100);
  std::vector<std::uint32_t> to;
  for (const Send& send : plan.sends) to.push_back(send.peer);
  EXPECT_EQ(to, (std::vector<std::uint32_t>{3, 0, 1}));
}

TEST(TransferPlan, APingpongIsAnsweredWhenAllOfItIsThere) {
  const TransferPlan asks = plan_transfers({Operation::kPingPong, 0, 300}, 1, 4, 100);
  const TransferPlan answers = plan_transfers({Operation::kPingPong, 0, 300}, 3, 4, 100);
  ASSERT_EQ(asks.sends.size(), 3u);
  ASSERT_EQ(answers.sends.size(), 3u);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(asks.sends[i].peer, 3u);
    EXPECT_FALSE(asks.sends[i].after_all);
    EXPECT_EQ(answers.sends[i].peer, 1u);
    EXPECT_TRUE(answers.sends[i].after_all) << "else slices would cross";
  }
}

// Over rma the number that arrives is the slice's index: it must be the place of the receive.
TEST(TransferPlan, WhatGoesByRmaIsReceivedInOneStepWithPlacesForIndices) {
  for (const Operation operation : {Operation::kSendRecv, Operation::kPingPong}) {
    for (const std::size_t rank : {0u, 1u, 2u}) {
      const TransferPlan plan = plan_transfers({operation, 0, 1000}, rank, 3, 64);
      for (std::size_t place = 0; place < plan.receives.size(); ++place) {
        EXPECT_EQ(plan.receives[place].slice.index, place);
        EXPECT_FALSE(plan.receives[place].adds);
      }
    }
  }
}

TEST(TransferPlan, OneRankOnlyCopies) {
  for (const Operation operation : kOperations) {
    const TransferPlan plan = plan_transfers({operation, 0, 100}, 0, 1, 10);
    EXPECT_TRUE(plan.sends.empty());
    EXPECT_TRUE(plan.receives.empty());
    EXPECT_EQ(plan.copy, (LocalCopy{0, 0, 100}));
  }
}

TEST(TransferPlan, ASliceIsNeverEmpty) {
  const TransferPlan plan = plan_transfers({Operation::kAllReduce, 0, 5}, 3, 8, 2);
  for (const Receive& receive : plan.receives) EXPECT_GT(receive.slice.count, 0u);
}

}  // namespace
}  // namespace muster::bench::fabric
