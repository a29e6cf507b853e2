#include "slurm/terminal.h"

#include <gtest/gtest.h>

namespace muster::slurm {
namespace {

TEST(Terminal, IsTheUsersWithPtyAlone) {
  EXPECT_TRUE(has_terminal_of_user({{"SLURM_JOB_ID", "7"}, {"SLURM_PTY_PORT", "37213"}}));
  EXPECT_FALSE(has_terminal_of_user({{"SLURM_JOB_ID", "7"}}));
}

}  // namespace
}  // namespace muster::slurm
