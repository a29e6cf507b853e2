// Thousands of schedules; a failure prints its seed and its story.
//
// MUSTER_SCHEDULES=100000 runs more of them, MUSTER_FIRST_SEED=1234 starts elsewhere.
#include "tests/rendezvous/core/simulation.h"

#include <gtest/gtest.h>

#include <cstdlib>

namespace muster::rendezvous {
namespace {

std::uint64_t number_from_environment(const char* name, std::uint64_t otherwise) {
  const char* text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::size_t run_schedules(Weather weather, std::uint64_t schedules) {
  const std::uint64_t first = number_from_environment("MUSTER_FIRST_SEED", 1);
  std::size_t committed = 0;
  for (std::uint64_t seed = first; seed < first + schedules; ++seed) {
    Simulation simulation(seed, weather);
    const std::vector<std::string> violations = simulation.run();
    if (simulation.committed()) ++committed;
    if (violations.empty()) continue;
    ADD_FAILURE() << "seed " << seed << ": " << violations.front() << "\n" << simulation.story();
    break;
  }
  return committed;
}

TEST(Simulation, InCalmWeatherEveryMeetingCommitsAndEveryOperationSucceeds) {
  const std::uint64_t schedules = number_from_environment("MUSTER_SCHEDULES", 150);
  EXPECT_EQ(run_schedules(Weather::kCalm, schedules), schedules);
}

TEST(Simulation, InRoughWeatherNobodyDisagreesAndNobodyIsStuck) {
  const std::uint64_t schedules = number_from_environment("MUSTER_SCHEDULES", 400);
  const std::size_t committed = run_schedules(Weather::kRough, schedules);
  // Both ends occur, or the weather is not worth its name.
  EXPECT_GT(committed, schedules / 4);
  EXPECT_LT(committed, schedules);
}

}  // namespace
}  // namespace muster::rendezvous
