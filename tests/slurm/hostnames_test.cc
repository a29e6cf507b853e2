#include "slurm/hostnames.h"

#include <gtest/gtest.h>

namespace muster::slurm {
namespace {

TEST(Hostnames, PrintsOneNameALine) {
  EXPECT_EQ(*print_hostnames({"n[1-2]", "login"}, {}), "n1\nn2\nlogin\n");
}

TEST(Hostnames, TakesTheJobsListWhenNoneIsGiven) {
  EXPECT_EQ(*print_hostnames({}, {{"SLURM_JOB_NODELIST", "n[1-2]"}}), "n1\nn2\n");
}

TEST(Hostnames, SaysWhatToWriteWithoutAnyList) {
  const auto lines = print_hostnames({}, {});
  ASSERT_FALSE(lines.has_value());
  EXPECT_NE(lines.error().message().find("muster hostnames 'node[1-4]'"), std::string::npos);
}

TEST(Hostnames, PrintsNothingOfAMalformedList) {
  EXPECT_FALSE(print_hostnames({"n[1-2]", "n["}, {}).has_value());
}

}  // namespace
}  // namespace muster::slurm
