// Who leads when leaders die: thousands of schedules; a failure prints its seed and its story.
//
// MUSTER_SCHEDULES=100000 runs more of them, MUSTER_FIRST_SEED=1234 starts elsewhere.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>

#include "tests/rendezvous/core/succession_world.h"

namespace muster::rendezvous {
namespace {

constexpr Duration kClearEnd = std::chrono::seconds(10);

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

bool has(const Roster& roster, NodeIndex node) {
  return std::any_of(roster.members.begin(), roster.members.end(),
                     [node](const Member& member) { return member.description.node == node; });
}

TEST(Succession, WithoutFaultsTheFirstNodeLeadsAndAllAreThere) {
  for (std::uint32_t seed = 1; seed <= 50; ++seed) {
    WorldOptions options;
    options.seed = seed;
    options.nodes = 1 + seed % 9;
    options.tasks_per_node = 1 + seed % 2;
    SuccessionWorld world(options);
    const std::vector<std::string> violations = world.run();
    ASSERT_TRUE(violations.empty()) << "seed " << seed << ": " << violations.front() << "\n"
                                    << world.story();
    ASSERT_TRUE(world.assembled()) << world.story();
    EXPECT_EQ(world.roles_taken(), 1U);
    EXPECT_EQ(world.assembled()->members.size(), options.nodes * options.tasks_per_node);
  }
}

// The role goes to and fro until the last one is there; nobody is given up for being late.
TEST(Succession, WithoutFaultsLateStartersOnlyCostTime) {
  for (std::uint32_t seed = 1; seed <= 200; ++seed) {
    WorldOptions options;
    options.seed = seed;
    options.nodes = 2 + seed % 8;
    options.tasks_per_node = 1 + seed % 2;
    options.start_spread = Duration(seed % 3 == 0 ? 6000 : 60000);
    SuccessionWorld world(options);
    const std::vector<std::string> violations = world.run();
    ASSERT_TRUE(violations.empty()) << "seed " << seed << ": " << violations.front() << "\n"
                                    << world.story();
    ASSERT_TRUE(world.assembled()) << "seed " << seed << "\n" << world.story();
    EXPECT_EQ(world.assembled()->members.size(), options.nodes * options.tasks_per_node);
  }
}

// The coordinator dies before or after each frame that it sends until the roster is there.
TEST(Succession, ACoordinatorThatDiesAtAnyFrameLeavesAWorldWithoutItOrAClearEnd) {
  for (std::uint32_t round = 0; round < 20; ++round) {
    const std::uint32_t minimum = round % 2 == 0 ? 0 : 3;
    WorldOptions options;
    options.seed = 7 + round;
    options.minimum_nodes = minimum;
    SuccessionWorld calm(options);
    ASSERT_TRUE(calm.run().empty());
    std::size_t worlds = 0;
    std::size_t ends = 0;
    std::size_t seen = 0;
    for (std::size_t frame = 1; frame <= calm.frames_of_coordinators(); ++frame) {
      for (const bool before : {true, false}) {
        SuccessionWorld world(options);
        world.crash_coordinator_at_frame(frame, before);
        const std::vector<std::string> violations = world.run();
        ASSERT_TRUE(violations.empty()) << "frame " << frame << ": " << violations.front() << "\n"
                                        << world.story();
        if (!world.crashed_after()) continue;
        // One whom nobody saw is not missed until it is late.
        if (!world.was_seen()) continue;
        ++seen;
        EXPECT_LE(world.ended_after() - *world.crashed_after(), kClearEnd) << world.story();
        const bool was_complete = world.assembled() && has(*world.assembled(), NodeIndex{0});
        if (!was_complete) ++(world.assembled() ? worlds : ends);
      }
    }
    EXPECT_GT(seen, calm.frames_of_coordinators()) << "of twice as many deaths";
    // With all nodes needed there is no world without the first; else nearly always.
    EXPECT_EQ(worlds > 0, minimum == 3) << worlds << " " << ends;
    if (minimum == 3) {
      EXPECT_GT(worlds, 4 * ends) << worlds << " " << ends;
    }
  }
}

TEST(Succession, TheRoleGoesOnWhenSeveralLeadersDie) {
  WorldOptions options;
  options.seed = 3;
  options.nodes = 7;
  options.minimum_nodes = 4;
  options.start_spread = Duration(8000);
  SuccessionWorld world(options);
  world.crash_at(Duration(2000), 0);
  world.crash_at(Duration(5000), 1);
  world.cut_at(Duration(7000), NodeIndex{2});
  ASSERT_TRUE(world.run().empty()) << world.story();
  ASSERT_TRUE(world.assembled()) << world.story();
  EXPECT_EQ(world.assembled()->members.size(), 4U) << world.story();
}

TEST(Succession, AFirstNodeThatNeverComesIsLedWithout) {
  WorldOptions options;
  options.seed = 11;
  options.minimum_nodes = 3;
  SuccessionWorld world(options);
  world.crash_at(Duration(0), 0);
  ASSERT_TRUE(world.run().empty()) << world.story();
  ASSERT_TRUE(world.assembled()) << world.story();
  EXPECT_EQ(world.assembled()->members.size(), 3U);
}

TEST(Succession, InRoughWeatherNoTwoRostersAreEverComplete) {
  const std::uint64_t schedules = number_from_environment("MUSTER_SCHEDULES", 400);
  const std::uint64_t first = number_from_environment("MUSTER_FIRST_SEED", 1);
  std::size_t assembled = 0;
  for (std::uint64_t seed = first; seed < first + schedules; ++seed) {
    WorldOptions options;
    options.seed = seed;
    options.nodes = static_cast<std::uint32_t>(2 + seed % 6);
    options.tasks_per_node = seed % 5 == 0 ? 2 : 1;
    options.minimum_nodes = seed % 3 == 0 ? 0 : options.nodes / 2 + 1;
    options.faults = 1 + seed % 5;
    options.start_spread = Duration(seed % 7 == 0 ? 25000 : 1500);
    SuccessionWorld world(options);
    const std::vector<std::string> violations = world.run();
    if (world.assembled()) ++assembled;
    ASSERT_TRUE(violations.empty()) << "seed " << seed << ": " << violations.front() << "\n"
                                    << world.story();
  }
  EXPECT_GT(assembled, schedules / 4);
}

}  // namespace
}  // namespace muster::rendezvous
