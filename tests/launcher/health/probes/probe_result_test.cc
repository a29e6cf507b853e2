#include "launcher/health/probes/probe_result.h"

#include <gtest/gtest.h>

#include "launcher/health/probes/findings.h"

namespace muster::health {
namespace {

const std::vector<ProbeResult> kResults{
    {"gpu_count", Answer::kPass, "8 of 8", "", {}},
    {"ecc", Answer::kFail, "2 uncorrected", "GPU 1: 2 uncorrected memory errors", {"GPU 1"}},
    {"xid", Answer::kSkip, "", "the kernel's log cannot be read", {}},
    {"clocks", Answer::kWarn, "SM from 345 MHz", "GPU 2: hot", {"GPU 2"}},
};

TEST(PrintProbes, PutsWhatIsWrongFirst) {
  EXPECT_EQ(print_probes("node007", kResults),
            "node007: FAIL  1 FAIL  1 WARN  1 PASS  1 SKIP\n"
            "  FAIL  ecc        2 uncorrected    GPU 1: 2 uncorrected memory errors\n"
            "  WARN  clocks     SM from 345 MHz  GPU 2: hot\n"
            "  PASS  gpu_count  8 of 8\n"
            "  SKIP  xid                         the kernel's log cannot be read\n");
}

TEST(PrintProbes, LeavesOutWhatIsFine) {
  EXPECT_EQ(print_probes("node007", kResults, true),
            "node007: FAIL  1 FAIL  1 WARN  1 PASS  1 SKIP\n"
            "  FAIL  ecc        2 uncorrected    GPU 1: 2 uncorrected memory errors\n"
            "  WARN  clocks     SM from 345 MHz  GPU 2: hot\n");
  EXPECT_EQ(print_probes("node007", {kResults[0]}, true), "node007: PASS  1 PASS\n");
}

TEST(WorstOf, GoesByWeight) {
  EXPECT_EQ(worst_of(kResults), Answer::kFail);
  EXPECT_EQ(worst_of({kResults[0], kResults[3]}), Answer::kWarn);
  EXPECT_EQ(worst_of({kResults[0], kResults[2]}), Answer::kPass);
  EXPECT_EQ(worst_of({kResults[2]}), Answer::kSkip);
  EXPECT_EQ(worst_of({}), Answer::kSkip);
}

TEST(Findings, FoldsSubjectsAndTexts) {
  Findings findings("probe");
  for (int i = 0; i < 32; ++i) findings.fail("nic" + std::to_string(i), "is down");
  for (int i = 0; i < 6; ++i) findings.fail("GPU 0", "problem " + std::to_string(i));
  findings.warn("GPU 9", "is not told beside a failure");
  const ProbeResult result = findings.result("x");
  EXPECT_EQ(result.reason,
            "nic0,nic1,nic2,nic3,nic4,nic5,nic6,nic7 and 24 more: is down; GPU 0: problem 0; "
            "GPU 0: problem 1; GPU 0: problem 2; and 3 more");
  EXPECT_EQ(result.subjects.size(), 33U);
}

}  // namespace
}  // namespace muster::health
