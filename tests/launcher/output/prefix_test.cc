#include "launcher/output/prefix.h"

#include <gtest/gtest.h>

#include "launcher/output/log_layout.h"

namespace muster::output {
namespace {

const PrefixFields kFields{"node7", Rank{12}, LocalRank{4}};

TEST(Prefix, NamesHostAndRank) {
  EXPECT_EQ(expand_prefix(kDefaultPrefix, kFields, false), "[node7 12] ");
  EXPECT_EQ(expand_prefix("", kFields, true), "");
}

TEST(Prefix, FillsTheFieldsOfTorchrunsTemplate) {
  EXPECT_EQ(expand_prefix("[${role_name}${local_rank}|${rank}]: ", kFields, false),
            "[default4|12]: ");
}

TEST(Prefix, LeavesWhatItDoesNotKnow) {
  EXPECT_EQ(expand_prefix("${shoe} $5 ${rank", kFields, false), "${shoe} $5 ${rank");
}

TEST(Prefix, PaintsEachRankItsColour) {
  const std::string painted = expand_prefix("x", kFields, true);
  EXPECT_TRUE(painted.starts_with("\033[")) << painted;
  EXPECT_TRUE(painted.ends_with("x\033[0m")) << painted;
  EXPECT_NE(painted, expand_prefix("x", {"node7", Rank{13}, LocalRank{5}}, true));
}

TEST(Prefix, ConsoleLinesFitInTheLimitWithTheirMark) {
  const std::string prefix = expand_prefix(kDefaultPrefix, kFields, false);
  const std::size_t limit = piece_limit(prefix, kSlurmWrite);
  const Piece longest{std::string(limit, 'x'), true, true};
  EXPECT_EQ(console_line(prefix, longest).size(), kSlurmWrite);
  EXPECT_EQ(console_line(prefix, {"text", false, true}), "[node7 12] text\n");
  EXPECT_EQ(console_line(prefix, {"text", true, true}), "[node7 12] ... text\n");
  EXPECT_LE(expand_prefix(std::string(5000, 'p'), kFields, false).size(), 128U);
}

TEST(LogLayout, IsTorchrunsByGlobalRank) {
  EXPECT_EQ(stream_file("/logs", Attempt{2}, Rank{12}, Stream::kErr),
            "/logs/attempt_2/12/stderr.log");
  EXPECT_EQ(rank_directory("/logs", Attempt{0}, Rank{3}), "/logs/attempt_0/3");
}

}  // namespace
}  // namespace muster::output
