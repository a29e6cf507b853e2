#include "slurm/task_counts.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>

#include "slurm/hostlist.h"

namespace muster::slurm {
namespace {

using Counts = std::vector<std::uint32_t>;

Counts expand(std::string_view text) {
  const auto counts = expand_task_counts(text);
  EXPECT_TRUE(counts.has_value()) << (counts ? "" : counts.error().message());
  return counts.value_or(Counts{});
}

std::string refusal(std::string_view text) {
  const auto counts = expand_task_counts(text);
  EXPECT_FALSE(counts.has_value()) << text;
  return counts ? "" : counts.error().message();
}

TEST(TaskCounts, WritesRepetitionsOut) {
  EXPECT_EQ(expand("8(x3),4"), (Counts{8, 8, 8, 4}));
  EXPECT_EQ(expand("3(x2),2(x2)"), (Counts{3, 3, 2, 2}));
  EXPECT_EQ(expand("2,1,2"), (Counts{2, 1, 2}));
  EXPECT_EQ(expand("1"), Counts{1});
}

TEST(TaskCounts, RefusesMalformedTextWithThePosition) {
  EXPECT_EQ(refusal(""), "task counts '': position 1: expected a number of tasks, found the end");
  EXPECT_NE(refusal("8(3)").find("position 3: expected 'x', found '3'"), std::string::npos);
  EXPECT_NE(refusal("8(x3").find("position 5: expected ')', found the end"), std::string::npos);
  EXPECT_NE(refusal("8(x)").find("position 4: expected a number of nodes, found ')'"),
            std::string::npos);
  EXPECT_NE(refusal("8,").find("position 3: expected a number of tasks"), std::string::npos);
  EXPECT_NE(refusal("8(x2)4").find("position 6: expected"), std::string::npos);
  EXPECT_NE(refusal("0").find("position 1: expected a number of tasks from 1"), std::string::npos);
  EXPECT_NE(refusal("8(x0)").find("position 4: expected a number of nodes from 1"),
            std::string::npos);
  EXPECT_NE(refusal("-1").find("position 1"), std::string::npos);
}

TEST(TaskCounts, HoldsItsLimits) {
  EXPECT_EQ(expand("1(x65536)").size(), kMaxHosts);
  for (const std::string_view text : {"1(x65537)", "1(x65536),1", "65536",
                                      "99999999999999999999999", "1(x18446744073709551617)"}) {
    const auto counts = expand_task_counts(text);
    ASSERT_FALSE(counts.has_value()) << text;
    EXPECT_EQ(counts.error().code(), ErrorCode::kLimit) << text;
  }
}

TEST(TaskCounts, WritesThemAsSlurmDoes) {
  EXPECT_EQ(compress_task_counts(Counts{8, 8, 8, 4}), "8(x3),4");
  EXPECT_EQ(compress_task_counts(Counts{2, 1, 2}), "2,1,2");
  EXPECT_EQ(compress_task_counts(Counts{}), "");
}

TEST(TaskCounts, ReadsBackWhatItWrote) {
  constexpr unsigned kSeed = 7;
  std::mt19937 random(kSeed);
  for (int round = 0; round < 500; ++round) {
    Counts counts(1 + random() % 40);
    for (std::uint32_t& count : counts) count = static_cast<std::uint32_t>(1 + random() % 3);
    EXPECT_EQ(expand(compress_task_counts(counts)), counts) << "seed " << kSeed;
  }
}

TEST(TaskCounts, SurvivesMutations) {
  constexpr std::string_view kBytes = "0189(x),- a";
  constexpr unsigned kSeed = 11;
  std::mt19937 random(kSeed);
  for (int round = 0; round < 3000; ++round) {
    std::string text = "8(x3),4,2(x12)";
    for (std::size_t change = 0; change <= random() % 4; ++change) {
      text[random() % text.size()] = kBytes[random() % kBytes.size()];
    }
    const auto counts = expand_task_counts(text);
    if (!counts) continue;
    EXPECT_LE(counts->size(), kMaxHosts);
    const auto [least, most] = std::minmax_element(counts->begin(), counts->end());
    EXPECT_GE(*least, 1u) << text << ", seed " << kSeed;
    EXPECT_LE(*most, kMaxTasksPerNode) << text << ", seed " << kSeed;
  }
}

}  // namespace
}  // namespace muster::slurm
