#include "collectives-bench/world.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace muster::bench {
namespace {

std::vector<Member> two_nodes() {
  std::vector<Member> members;
  for (std::uint32_t rank = 0; rank < 4; ++rank) {
    Member member;
    member.place = {rank / 2, rank % 2, rank < 2 ? "a" : "b"};
    member.pid = 100 + rank;
    member.command = "all_reduce -b 8";
    member.device = "GPU " + std::to_string(rank % 2);
    member.network = "eth0";
    member.library = "NCCL 2.28.9";
    members.push_back(member);
  }
  return members;
}

TEST(World, AMemberRoundTrips) {
  const Member member = two_nodes()[3];
  EXPECT_EQ(parse_member(print_member(member)), member);
  const std::string bytes = print_member(member);
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(parse_member(std::string_view(bytes).substr(0, size))) << size;
  }
}

TEST(World, OneOfAnotherSizeIsRefused) {
  const auto members = two_nodes();
  EXPECT_TRUE(check_world(members, 4));
  const Status status = check_world(members, 8);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message(), "4 ranks joined, expected 8");
}

TEST(World, ARankWithOtherOptionsIsNamed) {
  auto members = two_nodes();
  members[2].command = "all_reduce -b 16";
  const Status status = check_world(members, 4);
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message(),
            "rank 2 (b) was asked for 'all_reduce -b 16', rank 0 for 'all_reduce -b 8': start all "
            "ranks with the same options");
}

TEST(World, NotesOtherLibrariesAndSharedGpus) {
  auto members = two_nodes();
  EXPECT_TRUE(oddities(members).empty());
  members[1].library = "NCCL 2.21.5";
  members[3].device = "GPU 0";
  EXPECT_EQ(oddities(members),
            (std::vector<std::string>{"rank 1 (a) uses NCCL 2.21.5, rank 0 NCCL 2.28.9",
                                      "rank 3 (b) shares GPU 0 with rank 2"}));
  for (Member& member : members) member.device = "host memory";
  members[1].library = members[0].library;
  EXPECT_TRUE(oddities(members).empty());
}

TEST(World, IsToldByRankThenByNode) {
  auto members = two_nodes();
  const std::string text = world_text(members);
  EXPECT_TRUE(text.starts_with("# world: 4 ranks on 2 nodes\n")) << text;
  EXPECT_NE(text.find("#  rank    3 pid     103 on b: GPU 1, eth0\n"), std::string::npos) << text;
  for (std::uint32_t rank = 4; rank < 40; ++rank) members.push_back(members[rank % 2]);
  const std::string large = world_text(members);
  EXPECT_EQ(std::count(large.begin(), large.end(), '\n'), 3) << large;
}

}  // namespace
}  // namespace muster::bench
