#include "slurm/cpu_binding.h"

#include <gtest/gtest.h>

namespace muster::slurm {
namespace {

TEST(CpuBinding, IsNoneWhereAllCoresMayBeUsed) {
  EXPECT_FALSE(is_bound_by_slurm({{"SLURM_CPU_BIND", "quiet,mask_cpu:0x3"}}, 2, 2));
}

TEST(CpuBinding, IsSlurmsWhenItNamesAMask) {
  EXPECT_TRUE(is_bound_by_slurm(
      {{"SLURM_CPU_BIND", "quiet,mask_cpu:0x1"}, {"SLURM_CPUS_ON_NODE", "64"}}, 1, 64));
}

TEST(CpuBinding, IsSlurmsWhenTheStepGotJustTheseCpus) {
  EXPECT_TRUE(is_bound_by_slurm({{"SLURM_CPUS_ON_NODE", "1"}}, 1, 64));
  EXPECT_TRUE(
      is_bound_by_slurm({{"SLURM_CPU_BIND", "quiet,none"}, {"SLURM_CPUS_ON_NODE", "2"}}, 2, 64));
}

TEST(CpuBinding, IsNotSlurmsInsideANarrowContainer) {
  EXPECT_FALSE(is_bound_by_slurm({{"SLURM_CPUS_ON_NODE", "64"}}, 2, 64));
  EXPECT_FALSE(is_bound_by_slurm({{"SLURM_CPUS_ON_NODE", "1"}}, 2, 64));
  EXPECT_FALSE(is_bound_by_slurm({}, 2, 64));
}

}  // namespace
}  // namespace muster::slurm
