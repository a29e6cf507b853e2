#include "launcher/health/gpu_probe.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <ostream>

#include "launcher/agent/node_facts.h"

namespace muster::health {

// For GoogleTest's messages.
void PrintTo(const GpuReport& report, std::ostream* out) {
  for (const std::string& uuid : report.uuids) *out << uuid << "; ";
  *out << "driver: " << report.driver_problem;
  for (const std::string& problem : report.gpu_problems) *out << "; " << problem;
}

namespace {

namespace fs = std::filesystem;

constexpr Duration kPlenty{30'000};
constexpr Duration kShort{200};

std::string uuid(int index) {
  return "GPU-0000000" + std::to_string(index) + "-d72c-4106-c12f-20bd9faed9f6";
}

// A /proc with a loaded driver, and the fake library under the orders of the test.
class GpuProbe : public testing::Test {
 protected:
  GpuProbe() {
    std::string name = (fs::temp_directory_path() / "muster_test_XXXXXX").string();
    root_ = ::mkdtemp(name.data());
    fs::create_directories(root_ / "driver/nvidia/gpus");
  }
  ~GpuProbe() override {
    fs::remove_all(root_);
    ::unsetenv("MUSTER_FAKE_NVML");
  }

  GpuReport probe(const char* orders, Duration limit = kPlenty) {
    ::setenv("MUSTER_FAKE_NVML", orders, 1);
    return probe_gpus({root_.string(), FAKE_NVML, limit});
  }

  fs::path root_;
};

TEST_F(GpuProbe, ListsTheGpusInTheOrderOfTheirBusIds) {
  EXPECT_EQ(probe("gpus=3"), (GpuReport{{uuid(2), uuid(1), uuid(0)}, "", {}}));
}

TEST_F(GpuProbe, LeavesOutAGpuThatItMayNotOpen) {
  EXPECT_EQ(probe("gpus=3 denied=1"), (GpuReport{{uuid(2), uuid(0)}, "", {}}));
}

TEST_F(GpuProbe, TellsOfALostGpuAndOfTheOthers) {
  EXPECT_EQ(probe("gpus=3 lost=1"), (GpuReport{{uuid(2), uuid(0)}, "", {"GPU 1: GPU is lost"}}));
}

TEST_F(GpuProbe, TellsWhyTheDriverDoesNotStart) {
  EXPECT_EQ(probe("gpus=3 init=999").driver_problem,
            "the GPU driver does not start: Unknown Error");
  EXPECT_EQ(probe("gpus=3 init=7").driver_problem, "the GPU driver does not start: NVML error 7");
  EXPECT_EQ(probe("gpus=3 count=999").driver_problem,
            "the GPU driver cannot count its GPUs: Unknown Error");
}

TEST_F(GpuProbe, GivesUpOnADriverThatHangs) {
  const TimePoint start = Clock::now();
  EXPECT_EQ(probe("gpus=3 hang", kShort),
            (GpuReport{{}, "the GPU driver did not answer in 200 ms", {}}));
  EXPECT_LT(Clock::now() - start, kPlenty);
}

TEST_F(GpuProbe, OutlivesALibraryThatCrashes) {
  const GpuReport report = probe("crash");
  EXPECT_TRUE(report.driver_problem.starts_with("the GPU probe ended with signal 6 (SIGABRT)"))
      << report.driver_problem;
}

TEST_F(GpuProbe, BelievesNoGarbage) {
  EXPECT_EQ(probe("gpus=1 garbage"),
            (GpuReport{{}, "", {"GPU 0: the driver names it by no UUID (expected GPU-...)"}}));
  EXPECT_EQ(probe("gpus=65").driver_problem,
            "the GPU driver tells of 65 GPUs; expected at most 64");
}

TEST_F(GpuProbe, TellsOfALibraryThatIsMissingOrNoNvml) {
  const GpuReport missing = probe_gpus({root_.string(), "/nowhere/libnvidia-ml.so.1", kPlenty});
  EXPECT_TRUE(missing.uuids.empty());
  EXPECT_NE(missing.driver_problem.find("/nowhere/libnvidia-ml.so.1: cannot open"),
            std::string::npos)
      << missing.driver_problem;
  EXPECT_EQ(probe_gpus({root_.string(), "libm.so.6", kPlenty}).driver_problem,
            "libm.so.6 is no NVML or too old, so no GPU is seen: it has no nvmlInit_v2");
}

TEST_F(GpuProbe, AsksNothingWhereNoDriverIsLoaded) {
  fs::remove_all(root_ / "driver");
  EXPECT_EQ(probe("gpus=3 init=999"), GpuReport{});
}

TEST_F(GpuProbe, ReachesTheFactsOfTheAgent) {
  ::setenv("MUSTER_FAKE_NVML", "gpus=4", 1);
  const Environment environment{{"MUSTER_NVML_LIBRARY", FAKE_NVML},
                                {"CUDA_VISIBLE_DEVICES", "1,0"}};
  const launcher::AgentFacts facts =
      launcher::find_node_facts(environment, "/nowhere/muster", root_.string());
  EXPECT_EQ(facts.resources.gpus, (std::vector<std::string>{uuid(2), uuid(3)}));
  EXPECT_EQ(facts.resources.reachable_gpus,
            (std::vector<std::string>{uuid(3), uuid(2), uuid(1), uuid(0)}));
}

TEST_F(GpuProbe, SaysOnStderrWhatIsWrongWithTheNode) {
  ::setenv("MUSTER_FAKE_NVML", "gpus=2 lost=1", 1);
  Environment environment{
      {"MUSTER_NVML_LIBRARY", FAKE_NVML}, {"SLURMD_NODENAME", "n7"}, {"SLURM_LOCALID", "3"}};
  testing::internal::CaptureStderr();
  launcher::find_node_facts(environment, "/nowhere/muster", root_.string());
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "muster: n7: GPU 1: GPU is lost\n");

  ::setenv("MUSTER_FAKE_NVML", "init=999", 1);
  testing::internal::CaptureStderr();
  launcher::find_node_facts(environment, "/nowhere/muster", root_.string());
  environment.set("SLURM_LOCALID", "0");
  launcher::find_node_facts(environment, "/nowhere/muster", root_.string());
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "muster: n7: the GPU driver does not start: Unknown Error\n")
      << "the lead agent alone speaks for the node";
}

}  // namespace
}  // namespace muster::health
