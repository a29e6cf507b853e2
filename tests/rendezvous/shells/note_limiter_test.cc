#include "rendezvous/note_limiter.h"

#include <gtest/gtest.h>

namespace muster::rendezvous {
namespace {

constexpr TimePoint kStart{std::chrono::hours(1)};

TEST(NoteLimiter, SaysTheSameLineOncePerMinute) {
  NoteLimiter notes;
  EXPECT_EQ(notes.admit("a", kStart).size(), 1u);
  EXPECT_EQ(notes.admit("a", kStart + std::chrono::seconds(30)).size(), 0u);
  EXPECT_EQ(notes.admit("a", kStart + std::chrono::seconds(61)).size(), 1u);
}

TEST(NoteLimiter, CountsWhatAFloodLosesAndSaysSoLater) {
  NoteLimiter notes;
  std::size_t printed = 0;
  for (int i = 0; i < 1000; ++i) printed += notes.admit("scan " + std::to_string(i), kStart).size();
  EXPECT_EQ(printed, NoteLimiter::kBurst);
  const auto later = notes.admit("after", kStart + std::chrono::seconds(2));
  EXPECT_EQ(later, (std::vector<std::string>{"980 remarks left out", "after"}));
}

}  // namespace
}  // namespace muster::rendezvous
