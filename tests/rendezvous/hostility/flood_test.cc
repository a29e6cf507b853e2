// Those who come in crowds: descriptors, memory, time and log lines stay bounded, and the members
// still meet.
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>

#include "rendezvous/server_engine.h"
#include "tests/rendezvous/hostility/flooded_server.h"
#include "tests/rendezvous/hostility/stranger.h"

namespace muster::rendezvous {
namespace {

constexpr std::size_t kFewDescriptors = 64;
constexpr std::size_t kHandful = 12;

using Crowd = std::vector<std::unique_ptr<Stranger>>;

void expect_assembly(Meeting& meeting, const FloodedServer& server) {
  for (std::size_t i = 1; i < meeting.server_options.expected.size(); ++i) meeting.join(i);
  EXPECT_TRUE(meeting.run_until([&] {
    for (const auto& member : meeting.members)
      if (!member->roster) return false;
    return true;
  }));
  for (const auto& member : meeting.members) {
    EXPECT_FALSE(member->closed) << member->closed->message();
    for (const std::string& note : member->notes) std::printf("a member noted: %s\n", note.c_str());
  }
  const FloodedServer::Report report = server.await_report();
  EXPECT_TRUE(report.assembled);
  EXPECT_LE(report.notes, kHandful);
}

TEST(Flood, ToTheDescriptorLimitOnlyDelaysTheMembers) {
  Meeting meeting(expected_members(4));
  const auto server = FloodedServer::start(meeting, kFewDescriptors);
  ASSERT_TRUE(server);
  Crowd crowd;
  for (std::size_t i = 0; i < 2 * kFewDescriptors; ++i)
    crowd.push_back(std::make_unique<Stranger>(server->port()));
  expect_assembly(meeting, *server);
}

// The bound: every connection that may wait to be proven has said all that it may without a proof,
// in a buffer that grew by doubling; and as much again for what the allocator keeps.
TEST(Flood, OfLongFramesTakesBoundedMemory) {
  Meeting meeting(expected_members(4));
  const auto server = FloodedServer::start(meeting, 0);
  ASSERT_TRUE(server);
  const std::size_t before = server->resident_bytes();
  const std::size_t bound = 2 * 2 * (kMaxUnprovenBase + 2 * 4) * kMaxUnprovenBody;
  std::string unfinished = encode_frame(2, Generation{}, std::string(kMaxUnprovenBody - 1, 'x'));
  unfinished.pop_back();
  std::size_t said = 0;
  std::size_t highest = 0;
  Crowd crowd;
  for (int i = 0; i < 3000; ++i) {
    if (crowd.size() >= 500) crowd.erase(crowd.begin());
    crowd.push_back(std::make_unique<Stranger>(server->port()));
    said += crowd.back()->say(unfinished);
    highest = std::max(highest, server->resident_bytes());
  }
  std::printf("said %zu MiB; resident before %zu MiB, at most %zu MiB, bound +%zu MiB\n",
              said >> 20, before >> 20, highest >> 20, bound >> 20);
  EXPECT_GT(said, 2 * bound);
  EXPECT_LT(highest, before + bound);
  expect_assembly(meeting, *server);
}

TEST(Flood, OfRandomBytesCostsNothingAfterwards) {
  Meeting meeting(expected_members(2));
  const auto server = FloodedServer::start(meeting, 0);
  ASSERT_TRUE(server);
  for (int i = 0; i < 5000; ++i) {
    Stranger scanner(server->port());
    scanner.say(std::string(64, static_cast<char>(i | 0x80)));
  }
  expect_assembly(meeting, *server);
  const Duration before = server->cpu_time();
  ASSERT_FALSE(meeting.run_until([] { return false; }, std::chrono::seconds(2)));
  const Duration spent = server->cpu_time() - before;
  std::printf("in the 2 s after the flood the server used %lld ms\n",
              static_cast<long long>(spent.count()));
  EXPECT_LE(spent, std::chrono::milliseconds(100));
}

}  // namespace
}  // namespace muster::rendezvous
