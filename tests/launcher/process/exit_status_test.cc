#include "launcher/process/exit_status.h"

#include <gtest/gtest.h>

#include <csignal>

namespace muster::process {
namespace {

TEST(ExitStatus, AnExitCodeIsItself) {
  const ExitStatus status = ExitStatus::exited(3);
  EXPECT_EQ(to_string(status), "exit code 3");
  EXPECT_EQ(status.exit_code(), 3);
  EXPECT_FALSE(status.success());
  EXPECT_FALSE(status.signal().has_value());
  EXPECT_TRUE(ExitStatus::exited(0).success());
}

TEST(ExitStatus, ASignalIs128PlusItsNumberAndKeepsTheCoreApart) {
  const ExitStatus status = ExitStatus::killed(SIGSEGV, true);
  EXPECT_EQ(to_string(status), "signal 11 (SIGSEGV), core dumped");
  EXPECT_EQ(status.exit_code(), 139);
  EXPECT_EQ(status.signal(), SIGSEGV);
  EXPECT_EQ(to_string(ExitStatus::killed(SIGKILL)), "signal 9 (SIGKILL)");
  EXPECT_NE(status, ExitStatus::killed(SIGSEGV, false));
}

}  // namespace
}  // namespace muster::process
