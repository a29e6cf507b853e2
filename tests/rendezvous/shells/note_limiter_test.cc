#include "rendezvous/note_limiter.h"

#include <gtest/gtest.h>

namespace muster::rendezvous {
namespace {

constexpr TimePoint kStart{std::chrono::hours(1)};

std::vector<std::string> flood(NoteLimiter& notes, const std::string& who, int count) {
  std::vector<std::string> printed;
  for (int i = 0; i < count; ++i) {
    for (std::string& line : notes.admit(who + ": garbage " + std::to_string(i), kStart))
      printed.push_back(std::move(line));
  }
  return printed;
}

TEST(NoteLimiter, SaysTheSameLineOnceInTenMinutes) {
  NoteLimiter notes;
  EXPECT_EQ(notes.admit("a", kStart).size(), 1u);
  EXPECT_EQ(notes.admit("a", kStart + std::chrono::seconds(599)).size(), 0u);
  EXPECT_EQ(notes.admit("a", kStart + std::chrono::seconds(600)).size(), 1u);
}

TEST(NoteLimiter, FoldsAFloodOfOneAddressAndCountsIt) {
  NoteLimiter notes;
  EXPECT_EQ(flood(notes, "closing the connection of 10.0.0.9", 5000),
            (std::vector<std::string>{
                "closing the connection of 10.0.0.9: garbage 0",
                "closing the connection of 10.0.0.9: garbage 1",
                "closing the connection of 10.0.0.9: garbage 9 (10 such remarks in 0 s)",
                "closing the connection of 10.0.0.9: garbage 99 (100 such remarks in 0 s)",
                "closing the connection of 10.0.0.9: garbage 999 (1000 such remarks in 0 s)"}));
}

TEST(NoteLimiter, AFloodOfOneAddressHidesNoOther) {
  NoteLimiter notes;
  flood(notes, "closing the connection of 10.0.0.9", 5000);
  EXPECT_EQ(notes.admit("refused 10.0.0.3: its key is not the one of this job", kStart).size(), 1u);
  EXPECT_EQ(notes.admit("refused fe80::1: its key is not the one of this job", kStart).size(), 1u);
}

TEST(NoteLimiter, ThePortsOfOneAddressAreOneSubject) {
  NoteLimiter notes;
  for (const std::string host : {"refused 10.0.0.9", "refused [fe80::1]"}) {
    std::size_t printed = 0;
    for (int port = 30000; port < 30009; ++port)
      printed += notes.admit(host + ":" + std::to_string(port) + ": uid 7 owns it", kStart).size();
    EXPECT_EQ(printed, NoteLimiter::kSaidOfSubject) << host;
  }
  EXPECT_EQ(notes.admit("refused fe80::1: wrong", kStart).size(), 1u);
  EXPECT_EQ(notes.admit("refused fe80::2: wrong", kStart).size(), 1u);
}

TEST(NoteLimiter, ManyAddressesTogetherStayBounded) {
  NoteLimiter notes;
  std::size_t printed = 0;
  for (int i = 0; i < 10000; ++i) {
    const std::string who =
        "refused 10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250);
    printed += flood(notes, who, 2).size();
  }
  EXPECT_LE(printed, 2 * (NoteLimiter::kMaxSubjects + 1) + 4);
}

}  // namespace
}  // namespace muster::rendezvous
