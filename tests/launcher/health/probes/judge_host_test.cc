#include <gtest/gtest.h>

#include "tests/launcher/health/probes/healthy_node.h"

namespace muster::health {
namespace {

constexpr std::uint64_t kMega = 1ULL << 20;

TEST(ProbeHost, WarnsWhenItCouldNotBeLookedAtAndTheOthersSkip) {
  TwoLooks looks;
  EXPECT_EQ(looks.answer("host").value, "p5.48xlarge");
  const std::string problem = "the look at the host did not answer in 5 s";
  looks.before.host_problem = looks.after.host_problem = problem;
  EXPECT_EQ(looks.line("host"), "WARN " + problem);
  for (const char* probe : {"memlock", "nofile", "shm_size", "shm_leftovers", "disk"}) {
    EXPECT_EQ(looks.line(probe), "SKIP " + problem) << probe;
  }
}

// A laptop or a build machine: no driver, and nobody says what there should be.
TwoLooks plain_machine() {
  TwoLooks looks;
  looks.before.has_driver = looks.after.has_driver = false;
  looks.expected = {};
  return looks;
}

TEST(ProbeMemlock, FailsOnEfaAndWarnsElsewhere) {
  TwoLooks looks;
  EXPECT_EQ(looks.answer("memlock").value, "unlimited");
  looks.after.host.memlock = 64 * kMega;
  EXPECT_EQ(looks.line("memlock"),
            "FAIL at most 64 MiB can be locked; expected 16.0 GiB or unlimited: set "
            "LimitMEMLOCK=infinity for slurmd");
  looks.expected.nics.is_efa = false;
  EXPECT_TRUE(looks.line("memlock").starts_with("WARN at most 64 MiB"));
  looks.after.host.memlock = Number::none("no");
  EXPECT_EQ(looks.line("memlock"), "SKIP no");
}

TEST(ProbeNofile, WarnsOfALowLimit) {
  TwoLooks looks;
  looks.after.host.nofile = 1024;
  EXPECT_TRUE(looks.line("nofile").starts_with("WARN at most 1024 files can be open"));
  looks.expected.host.nofile = 1025;
  EXPECT_TRUE(
      looks.line("nofile").starts_with("FAIL at most 1024 files can be open; expected 1025"));
  looks.after.host.nofile = Number::none("no");
  EXPECT_EQ(looks.line("nofile"), "SKIP no");
}

TEST(ProbeShmSize, FailsForAContainersDefaultAndWarnsOfLittle) {
  TwoLooks looks;
  looks.after.host.shm_bytes = 4096 * kMega;
  EXPECT_EQ(looks.line("shm_size"), "WARN /dev/shm has 4.0 GiB; expected 8.0 GiB");
  looks.after.host.shm_bytes = 64 * kMega;
  EXPECT_TRUE(looks.line("shm_size").starts_with("FAIL /dev/shm has 64 MiB"));
  looks.after.host.shm_bytes = Number::none("no");
  EXPECT_EQ(looks.line("shm_size"), "SKIP no");
}

TEST(ProbeShmLeftovers, WarnsByTheFirstLookAlone) {
  TwoLooks looks;
  looks.after.host.shm_leftovers = std::vector<std::string>{"nccl-abc"};
  EXPECT_EQ(looks.line("shm_leftovers"), "PASS ");
  looks.before.host.shm_leftovers = std::vector<std::string>{"nccl-abc", "nccl-def"};
  EXPECT_EQ(looks.line("shm_leftovers"),
            "WARN files of earlier jobs are left in /dev/shm, such as nccl-abc: remove them");
  looks.before.host.shm_leftovers = {};
  EXPECT_EQ(looks.line("shm_leftovers"), "SKIP was not asked");
}

TEST(ProbeDisk, FailsWhenFullAndWarnsWhenTight) {
  TwoLooks looks;
  looks.after.host.disks.push_back({"/nowhere", Number::none("no such file")});
  EXPECT_EQ(looks.line("disk"), "PASS ");
  looks.after.host.disks[0].free_bytes = 5000 * kMega;
  EXPECT_EQ(looks.line("disk"), "WARN /tmp: 4.9 GiB free; expected 10.0 GiB");
  looks.after.host.disks[0].free_bytes = 10 * kMega;
  EXPECT_EQ(looks.line("disk"), "FAIL /tmp: 10 MiB free; expected 10.0 GiB");
  looks.after.host.disks.clear();
  EXPECT_EQ(looks.line("disk"), "SKIP no folder was looked at");
}

TEST(ProbeHost, WhatTrainingNeedsOnlyWarnsWhereNobodyTrains) {
  TwoLooks looks = plain_machine();
  looks.after.host.shm_bytes = 64 * kMega;
  looks.after.host.disks[0].free_bytes = 10 * kMega;
  looks.after.host.memlock = 64 * 1024;
  looks.after.host.nofile = 256;
  for (const char* probe : {"shm_size", "disk", "memlock", "nofile"}) {
    EXPECT_EQ(looks.answer(probe).answer, Answer::kWarn) << probe;
  }
}

TEST(ProbeClockOffset, WarnsFromATenthOfASecondAndFailsFromAMinute) {
  TwoLooks looks;
  EXPECT_EQ(looks.answer("clock_offset").answer, Answer::kPass);
  EXPECT_EQ(looks.answer("clock_offset").value, "-1.5 ms");
  looks.after.clock_offset_us = std::int64_t{-250'000};
  EXPECT_EQ(looks.line("clock_offset"),
            "WARN its clock is -0.2 s off the median node's: is chronyd running?");
  looks.after.clock_offset_us = std::int64_t{90'000'000};
  EXPECT_TRUE(looks.line("clock_offset").starts_with("FAIL its clock is +90.0 s off"));
  looks.after.clock_offset_us = {};
  EXPECT_EQ(looks.line("clock_offset"), "SKIP the clock offset was not asked");
}

// Both answers must be possible for none to be given.
TEST(ProbeClockOffset, SaysNothingWhereTheUncertaintyLeavesItOpen) {
  TwoLooks looks;
  looks.after.clock_offset_us = std::int64_t{90'000};
  looks.after.clock_uncertainty_us = 20'000;
  EXPECT_EQ(looks.line("clock_offset"),
            "SKIP could not tell: the question was too long on its way, so the offset is +90.0 ms "
            "plus or minus 20 ms");
  looks.after.clock_offset_us = std::int64_t{-3'000'000};
  looks.after.clock_uncertainty_us = 3'000'001;
  EXPECT_EQ(looks.answer("clock_offset").answer, Answer::kSkip);
  looks.after.clock_uncertainty_us = 2'800'000;
  EXPECT_EQ(looks.answer("clock_offset").answer, Answer::kWarn);
  looks.after.clock_offset_us = std::int64_t{60'000'001};
  looks.after.clock_uncertainty_us = 2;
  EXPECT_EQ(looks.answer("clock_offset").answer, Answer::kWarn) << "not surely a minute";
  looks.after.clock_offset_us = std::int64_t{300};
  looks.after.clock_uncertainty_us = 50'000;
  EXPECT_EQ(looks.answer("clock_offset").answer, Answer::kPass) << "surely less than 100 ms";
}

}  // namespace
}  // namespace muster::health
