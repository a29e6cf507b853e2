#include "collectives-bench/profile/job_environment.h"

#include <gtest/gtest.h>

namespace muster::bench {
namespace {

Profile make_profile() {
  Profile profile;
  profile.name = "p5";
  profile.nics.is_efa = true;
  profile.environment = {{"FI_EFA_USE_HUGE_PAGE", "0", "fork() fails otherwise", "a"}};
  return profile;
}

TEST(JobEnvironment, AddsWhatTheUserDidNotSet) {
  const JobEnvironment chosen = choose_job_environment(make_profile(), {});
  EXPECT_EQ(chosen.added, make_profile().environment);
  EXPECT_EQ(chosen.lines,
            (std::vector<std::string>{"set FI_EFA_USE_HUGE_PAGE=0: fork() fails otherwise"}));
}

TEST(JobEnvironment, LetsTheUserWinEvenWithAnEmptyValue) {
  const JobEnvironment own =
      choose_job_environment(make_profile(), {{"FI_EFA_USE_HUGE_PAGE", "1"}});
  EXPECT_TRUE(own.added.empty());
  EXPECT_EQ(own.lines, (std::vector<std::string>{
                           "kept your FI_EFA_USE_HUGE_PAGE=1; the profile p5 would set 0: fork() "
                           "fails otherwise"}));
  EXPECT_TRUE(choose_job_environment(make_profile(), {{"FI_EFA_USE_HUGE_PAGE", ""}}).added.empty());
}

TEST(JobEnvironment, SaysNothingWhereUserAndProfileAgree) {
  EXPECT_TRUE(
      choose_job_environment(make_profile(), {{"FI_EFA_USE_HUGE_PAGE", "0"}}).lines.empty());
}

TEST(JobEnvironment, TellsOfObsoleteValuesAndLeavesThem) {
  const JobEnvironment chosen =
      choose_job_environment(make_profile(), {{"FI_EFA_USE_HUGE_PAGE", "0"},
                                              {"NCCL_PROTO", "simple"},
                                              {"RDMAV_FORK_SAFE", "1"},
                                              {"NCCL_DEBUG", "INFO"}});
  EXPECT_TRUE(chosen.added.empty());
  EXPECT_EQ(chosen.lines,
            (std::vector<std::string>{
                "you set NCCL_PROTO=simple: only plug-ins up to 1.5 need it; it keeps NCCL from "
                "choosing; better leave it out",
                "you set RDMAV_FORK_SAFE=1: it can break EFA; better leave it out"}));
}

TEST(JobEnvironment, HasNoOpinionOffEfa) {
  EXPECT_TRUE(choose_job_environment(Profile{}, {{"NCCL_PROTO", "simple"}}).lines.empty());
}

}  // namespace
}  // namespace muster::bench
