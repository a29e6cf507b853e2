#include "collectives-bench/exit_code.h"

#include <gtest/gtest.h>

namespace muster::bench {
namespace {

TEST(ExitCode, TellsADeadlineFromWhatCannotRunFromAFailure) {
  EXPECT_EQ(exit_code_of(ErrorCode::kTimeout), ExitCode::kDeadline);
  EXPECT_EQ(exit_code_of(ErrorCode::kNotFound), ExitCode::kCannotRun);
  EXPECT_EQ(exit_code_of(ErrorCode::kUnsupported), ExitCode::kCannotRun);
  EXPECT_EQ(exit_code_of(ErrorCode::kInvalidArgument), ExitCode::kUsage);
  EXPECT_EQ(exit_code_of(ErrorCode::kUnavailable), ExitCode::kFailed);
}

TEST(ExitCode, KeepsItsPublicNumbers) {
  EXPECT_EQ(static_cast<int>(ExitCode::kOk), 0);
  EXPECT_EQ(static_cast<int>(ExitCode::kUsage), 2);
  EXPECT_EQ(static_cast<int>(ExitCode::kCannotRun), 3);
  EXPECT_EQ(static_cast<int>(ExitCode::kDeadline), 4);
  EXPECT_EQ(static_cast<int>(ExitCode::kWrongData), 7);
}

}  // namespace
}  // namespace muster::bench
