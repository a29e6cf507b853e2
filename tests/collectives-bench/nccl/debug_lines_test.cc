#include "collectives-bench/nccl/debug_lines.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <cstdlib>

namespace muster::bench::nccl {
namespace {

class DebugLinesTest : public testing::Test {
 protected:
  DebugLinesTest() { forget(); }
  ~DebugLinesTest() override { forget(); }

  static void forget() {
    for (const char* name : {"NCCL_DEBUG", "NCCL_DEBUG_SUBSYS", "NCCL_DEBUG_FILE"}) {
      ::unsetenv(name);
    }
  }
  static std::string variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? "not set" : value;
  }
};

// As NCCL does it: by the name, for writing from the beginning.
TEST_F(DebugLinesTest, AreWhatWasWrittenToTheNamedFile) {
  DebugLines lines;
  EXPECT_EQ(lines.read(), "");
  lines.capture({}, true);
  EXPECT_EQ(lines.read(), "");
  std::FILE* file = std::fopen(variable("NCCL_DEBUG_FILE").c_str(), "w");
  ASSERT_NE(file, nullptr) << variable("NCCL_DEBUG_FILE");
  std::fputs("Using network Socket\n", file);
  std::fflush(file);
  EXPECT_EQ(lines.read(), "Using network Socket\n");
  EXPECT_EQ(lines.read(), "Using network Socket\n") << "reading takes nothing away";
  const std::string much(kMaxDebugBytes, 'x');
  std::fputs(much.c_str(), file);
  std::fclose(file);
  EXPECT_EQ(lines.read().size(), kMaxDebugBytes);
}

TEST_F(DebugLinesTest, ALineForEveryOperationIsAskedForOnlyWhereItIsWanted) {
  DebugLines without;
  without.capture({}, false);
  EXPECT_EQ(variable("NCCL_DEBUG"), "INFO");
  EXPECT_EQ(variable("NCCL_DEBUG_SUBSYS"), "INIT,NET");
  DebugLines with;
  with.capture({}, true);
  EXPECT_EQ(variable("NCCL_DEBUG_SUBSYS"), "INIT,NET,TUNING");
}

TEST_F(DebugLinesTest, TheUsersSettingIsLeftAlone) {
  DebugLines lines;
  lines.capture(Environment({{"NCCL_DEBUG", "WARN"}}), true);
  EXPECT_EQ(variable("NCCL_DEBUG_FILE"), "not set");
  EXPECT_EQ(lines.read(), "");
}

}  // namespace
}  // namespace muster::bench::nccl
