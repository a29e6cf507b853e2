#include "launcher/history/after_job.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "launcher/history/node_memory.h"
#include "tests/launcher/history/temporary_folder.h"

namespace muster::history {
namespace {

using std::chrono::sys_days;
using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

constexpr auto kNow = std::chrono::sys_seconds(sys_days(2026y / 11 / 23));
const std::vector<UnfitRecord> kUnfit{{"node3", "i-3", {"GPU-1"}, "slow", 0.41, "pairs"},
                                      {"node4", "i-4", {}, "slow", 0.41, "pairs"}};

class AfterJobTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::string path =
        folder_.write("scontrol", "#!/bin/sh\necho \"$@\" >>\"" + folder_.file("out") + "\"\n");
    ASSERT_EQ(::chmod(path.c_str(), 0755), 0);
  }

  Lines act(const std::vector<UnfitRecord>& unfit, const AfterJob& wishes) const {
    const Environment environment{{"PATH", folder_.file("") + ":/usr/bin:/bin"}};
    return act_on_unfit(unfit, wishes, kNow, environment, process::OriginalLimits::capture());
  }

  TemporaryFolder folder_;
};

TEST_F(AfterJobTest, RemembersQuietlyAndDrainsNobodyUnasked) {
  const std::string memory = folder_.file("memory");
  EXPECT_EQ(act(kUnfit, {memory, false, "7.0", {false, 7}}), Lines{});
  EXPECT_EQ(recall(memory)->records,
            (std::vector<Record>{{kNow, "7.0", kUnfit[0]}, {kNow, "7.0", kUnfit[1]}}));
  EXPECT_EQ(content_of(folder_.file("out")), "");
}

TEST_F(AfterJobTest, DrainsWhenAsked) {
  EXPECT_EQ(act(kUnfit, {"", true, "7.0", {false, 7}}),
            (Lines{"drain: scontrol update nodename=\"node[3-4]\" state=drain reason=\"muster: "
                   "slow, 0.41 of the others (job 7)\": done"}));
  EXPECT_EQ(
      content_of(folder_.file("out")),
      "update nodename=node[3-4] state=drain reason=muster: slow, 0.41 of the others (job 7)\n");
}

TEST_F(AfterJobTest, TellsWhatIsNotRememberedAndDrainsAllTheSame) {
  const std::string memory = folder_.file("missing/memory");
  const Lines lines = act(kUnfit, {memory, true, "7.0", {true, 7}});
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0],
            "the verdict is not remembered: " + memory + ": there is no such file or folder");
  EXPECT_EQ(lines[1],
            "drain: scontrol update nodename=\"node[3-4]\" state=fail reason=\"Action:Replace\": "
            "done");
}

TEST_F(AfterJobTest, DoesNothingWhereAllAreFit) {
  const std::string memory = folder_.file("memory");
  EXPECT_EQ(act({}, {memory, true, "7.0", {false, 7}}), Lines{});
  EXPECT_NE(::access(memory.c_str(), F_OK), 0);
  EXPECT_EQ(content_of(folder_.file("out")), "");
}

}  // namespace
}  // namespace muster::history
