#include "rendezvous/ports.h"

#include <gtest/gtest.h>

#include <set>

namespace muster::rendezvous {
namespace {

using Ports = std::vector<std::uint16_t>;

TEST(Ports, AreDistinctAndInTheRange) {
  for (std::uint32_t step = 0; step < 500; ++step) {
    const Ports ports = candidate_ports({4242, step, 0, ""}, {});
    EXPECT_EQ(ports.size(), kPortCandidates);
    EXPECT_EQ(std::set<std::uint16_t>(ports.begin(), ports.end()).size(), kPortCandidates);
    for (const std::uint16_t port : ports) {
      EXPECT_GE(port, kFirstPort);
      EXPECT_LE(port, kLastPort);
    }
  }
}

// All versions of muster in one job must walk the same ports: these numbers never change.
TEST(Ports, AreAPureFunctionOfTheIncarnation) {
  const Ports first = candidate_ports({4242, 0, 0, ""}, {});
  EXPECT_EQ((Ports(first.begin(), first.begin() + 4)), (Ports{12682, 17943, 19567, 14318}));
  const Ports scoped = candidate_ports({4242, 7, 1, "check.0"}, {});
  EXPECT_EQ((Ports(scoped.begin(), scoped.begin() + 4)), (Ports{13185, 19455, 14101, 17277}));
}

TEST(Ports, DependOnEveryPartOfTheIncarnation) {
  const Incarnation base{4242, 1, 1, "check.0"};
  Incarnation other = base;
  other.job = 4243;
  EXPECT_NE(candidate_ports(base, {}), candidate_ports(other, {}));
  other = base;
  other.step = 2;
  EXPECT_NE(candidate_ports(base, {}), candidate_ports(other, {}));
  other = base;
  other.restart_count = 2;
  EXPECT_NE(candidate_ports(base, {}), candidate_ports(other, {}));
  other = base;
  other.scope = "check.1";
  EXPECT_NE(candidate_ports(base, {}), candidate_ports(other, {}));
}

TEST(Ports, BeginWithTheReservedOnesWithoutRepeats) {
  const Ports ports = candidate_ports({4242, 0, 0, ""}, {60001, 60002, 60001});
  ASSERT_EQ(ports.size(), 2 + kPortCandidates);
  EXPECT_EQ(ports[0], 60001);
  EXPECT_EQ(ports[1], 60002);
}

TEST(Ports, KeepAReservedOneOfTheRangeInItsPlaceOnly) {
  const Ports plain = candidate_ports({4242, 0, 0, ""}, {});
  const Ports ports = candidate_ports({4242, 0, 0, ""}, {plain[3]});
  EXPECT_EQ(ports[0], plain[3]);
  EXPECT_EQ(std::set<std::uint16_t>(ports.begin(), ports.end()).size(), ports.size());
}

TEST(Ports, SpreadJobsOverTheRange) {
  std::set<std::uint16_t> firsts;
  for (std::uint64_t job = 1; job <= 1000; ++job)
    firsts.insert(candidate_ports({job, 0, 0, ""}, {}).front());
  EXPECT_GT(firsts.size(), 900u);
}

TEST(Incarnation, IsWrittenAsSlurmWritesStepsPlusWhatIsSpecial) {
  EXPECT_EQ(to_string(Incarnation{4242, 0, 0, ""}), "4242.0");
  EXPECT_EQ(to_string(Incarnation{4242, 0, 2, ""}), "4242.0 restart 2");
  EXPECT_EQ(to_string(Incarnation{4242, 0, 0, "check.0"}), "4242.0 check.0");
}

}  // namespace
}  // namespace muster::rendezvous
