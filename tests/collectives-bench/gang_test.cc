#include "collectives-bench/gang.h"

#include <gtest/gtest.h>

namespace muster::bench {
namespace {

TEST(Gang, WritesTheWholeCommandLine) {
  CheckSpec spec;
  spec.backend = BackendKind::kNccl;
  spec.sizes = {.min_bytes = 1024, .max_bytes = 4096, .step_bytes = 0, .factor = 2};
  spec.iterations = 7;
  spec.warmup = 2;
  spec.deadline = std::chrono::milliseconds(1500);
  spec.report_fd = 9;
  spec.interface = "eth0";
  spec.nccl_library = "/x/libnccl.so.2";
  const std::vector<std::string> expected = {"all_reduce",
                                             "--backend",
                                             "nccl",
                                             "-b",
                                             "1024",
                                             "-e",
                                             "4096",
                                             "-n",
                                             "7",
                                             "-w",
                                             "2",
                                             "--deadline",
                                             "2",
                                             "--report-fd",
                                             "9",
                                             "-f",
                                             "2",
                                             "--interface",
                                             "eth0",
                                             "--nccl-library",
                                             "/x/libnccl.so.2"};
  EXPECT_EQ(gang_arguments(spec), expected);
}

TEST(Gang, LeavesOutWhatTheBackendChooses) {
  for (const std::string& argument : gang_arguments({})) {
    EXPECT_NE(argument, "--interface");
    EXPECT_NE(argument, "--nccl-library");
  }
}

}  // namespace
}  // namespace muster::bench
