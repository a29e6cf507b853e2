#include "collectives-bench/operation.h"

#include <gtest/gtest.h>

namespace muster::bench {
namespace {

TEST(Operation, IsNamedAsHereAsNcclTestsProgramAndWithAPath) {
  for (const Operation operation : kOperations) {
    const std::string name(to_string(operation));
    EXPECT_EQ(parse_operation(name), operation);
    EXPECT_EQ(parse_operation(name + "_perf"), operation);
    EXPECT_EQ(parse_operation("/opt/nccl-tests/build/" + name + "_perf"), operation);
  }
}

TEST(Operation, AnUnknownNameListsWhatThereIs) {
  const auto operation = parse_operation("hypercube_perf");
  ASSERT_FALSE(operation);
  EXPECT_EQ(operation.error().message(),
            "operation 'hypercube_perf': expected one of all_reduce, all_gather, reduce_scatter, "
            "broadcast, reduce, alltoall, sendrecv, pingpong");
  EXPECT_FALSE(parse_operation(""));
}

TEST(Operation, CountsWholePartsOfSixteenBytes) {
  EXPECT_EQ(count_for(Operation::kAllReduce, 1000, 3), 250u);
  EXPECT_EQ(count_for(Operation::kSendRecv, 1000, 3), 250u);
  EXPECT_EQ(count_for(Operation::kAllGather, 65536, 3), 5460u);
  EXPECT_EQ(count_for(Operation::kReduceScatter, 65536, 8), 2048u);
  EXPECT_EQ(count_for(Operation::kAllToAll, 64, 8), 0u);
}

TEST(Operation, PingpongMeetsTheHalvesAndLeavesAnOddLastOneOut) {
  for (const std::size_t ranks : {1u, 2u, 3u, 8u, 9u}) {
    for (std::size_t rank = 0; rank < ranks; ++rank) {
      const auto partner = pingpong_partner(rank, ranks);
      EXPECT_EQ(takes_part(Operation::kPingPong, rank, ranks), partner.has_value());
      if (ranks > 1 && ranks % 2 == 1 && rank == ranks - 1) {
        EXPECT_FALSE(partner);
      } else {
        ASSERT_TRUE(partner);
        EXPECT_EQ(pingpong_partner(*partner, ranks), rank);
        EXPECT_EQ(*partner == rank, ranks == 1);
      }
    }
  }
  EXPECT_EQ(pingpong_partner(3, 16), 11u) << "local rank 3 of both nodes";
  EXPECT_TRUE(takes_part(Operation::kAllReduce, 2, 3));
}

TEST(Operation, HasTheShapeOfItsCall) {
  EXPECT_EQ(shape_of({Operation::kAllReduce, 0, 12}, 3), (Shape{12, 12}));
  EXPECT_EQ(shape_of({Operation::kAllGather, 0, 12}, 3), (Shape{12, 36}));
  EXPECT_EQ(shape_of({Operation::kReduceScatter, 0, 12}, 3), (Shape{36, 12}));
  EXPECT_EQ(shape_of({Operation::kAllToAll, 0, 12}, 3), (Shape{36, 36}));
  EXPECT_EQ(shape_of({Operation::kReduceScatter, 0, 12}, 3).larger(), 36u);
}

}  // namespace
}  // namespace muster::bench
