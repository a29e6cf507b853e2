#include <gtest/gtest.h>

#include "tests/launcher/health/probes/healthy_node.h"

namespace muster::health {
namespace {

TEST(JudgeHealth, PassesAHealthyNodeInEveryProbe) {
  const TwoLooks looks;
  const auto results = judge_health(looks.before, looks.after, looks.expected);
  EXPECT_EQ(results.size(), 34U);
  for (const ProbeResult& result : results) {
    EXPECT_EQ(result.answer, Answer::kPass) << result.probe << ": " << result.reason;
    EXPECT_EQ(result.reason, "");
  }
}

TEST(JudgeHealth, SkipsOnOneLookOnlyWhatNeedsTwo) {
  const TwoLooks looks;
  std::vector<std::string> skipped;
  for (const ProbeResult& result : judge_health(looks.before, looks.before, looks.expected)) {
    if (result.answer == Answer::kSkip) skipped.push_back(result.probe);
  }
  EXPECT_EQ(skipped, (std::vector<std::string>{"nvlink_errors", "pcie_errors", "efa_errors"}));
}

TEST(JudgeHealth, ExpectsNothingOfAMachineThatNobodyKnows) {
  const HealthFacts bare;
  for (const ProbeResult& result : judge_health(bare, bare, {})) {
    EXPECT_NE(result.answer, Answer::kFail) << result.probe << ": " << result.reason;
    EXPECT_NE(result.answer, Answer::kWarn) << result.probe << ": " << result.reason;
  }
}

TEST(ProbeDriver, AnswersWithTheVersionOrWhatIsWrong) {
  TwoLooks looks;
  EXPECT_EQ(looks.answer("driver").value, "550.90.07");
  looks.after.driver_problem = "the GPU driver did not answer in 10 s";
  EXPECT_EQ(looks.line("driver"), "FAIL the GPU driver did not answer in 10 s");
  for (const char* probe : {"gpu_count", "gpu_lost", "ecc", "nvlink", "clocks"}) {
    EXPECT_EQ(looks.line(probe), "SKIP the GPU driver did not answer in 10 s") << probe;
  }
  looks.after.has_driver = false;
  looks.after.driver_problem = "no NVIDIA driver is loaded";
  EXPECT_EQ(looks.line("driver"), "FAIL no NVIDIA driver is loaded");
  looks.expected = {};
  EXPECT_EQ(looks.line("driver"), "SKIP no NVIDIA driver is loaded");
}

TEST(ProbeGpuCount, ComparesWithTheProfileOrTheDeviceFiles) {
  TwoLooks looks;
  EXPECT_EQ(looks.answer("gpu_count").value, "8 of 8");
  looks.after.gpus.pop_back();
  EXPECT_EQ(looks.line("gpu_count"), "FAIL the driver shows 7 GPUs; the profile expects 8");
  looks.expected.gpus.count.reset();
  EXPECT_EQ(looks.line("gpu_count"), "WARN the driver shows 7 GPUs, but there are 8 device files");
  looks.after.host.gpu_files = 7;
  EXPECT_EQ(looks.line("gpu_count"), "PASS ");
}

TEST(ProbeGpuModel, WarnsOfAnotherModel) {
  TwoLooks looks;
  looks.after.gpus[2].name = "NVIDIA A100";
  EXPECT_EQ(looks.line("gpu_model"), "WARN GPU 2: is a NVIDIA A100; the profile expects H100");
  looks.expected.gpus.model = "";
  EXPECT_EQ(looks.line("gpu_model"), "SKIP the profile names no model");
}

TEST(ProbeGpuLost, FailsForALostGpuAndForOneThatVanished) {
  TwoLooks looks;
  looks.after.gpus[3].problem = "GPU is lost";
  EXPECT_EQ(looks.line("gpu_lost"), "FAIL GPU 3: GPU is lost");
  EXPECT_EQ(looks.answer("gpu_lost").subjects, (std::vector<std::string>{"GPU 3"}));
  EXPECT_EQ(looks.line("ecc"), "PASS ") << "the others are judged";
  looks.after = healthy_node();
  looks.after.gpus.erase(looks.after.gpus.begin());
  EXPECT_EQ(looks.line("gpu_lost"), "FAIL GPU 0: was there before the check and is gone after it");
  looks.before.gpus.clear();
  looks.after.gpus.clear();
  EXPECT_EQ(looks.line("gpu_lost"), "SKIP there is no GPU");
}

TEST(ProbeRecoveryAction, SaysWhatTheDriverAsksFor) {
  TwoLooks looks;
  looks.after.gpus[1].recovery_action = 2;
  looks.after.gpus[6].recovery_action = 9;
  EXPECT_EQ(
      looks.line("recovery_action"),
      "FAIL GPU 1: the driver asks to reboot the node; GPU 6: the driver asks to take action 9");
  for (GpuFacts& gpu : looks.after.gpus) gpu.recovery_action = Number::none("Not Supported");
  EXPECT_EQ(looks.line("recovery_action"), "SKIP Not Supported");
}

TEST(ProbeGpuMode, FailsForMigAndExclusiveModes) {
  TwoLooks looks;
  looks.after.gpus[0].mig_mode = 1;
  looks.after.gpus[1].compute_mode = 3;
  EXPECT_EQ(looks.line("gpu_mode"),
            "FAIL GPU 0: MIG is on; training wants whole GPUs: nvidia-smi -mig 0; GPU 1: its "
            "compute mode is prohibited or exclusive: nvidia-smi -c 0");
  for (GpuFacts& gpu : looks.after.gpus) {
    gpu.mig_mode = gpu.compute_mode = Number::none("Not Supported");
  }
  EXPECT_EQ(looks.line("gpu_mode"), "SKIP Not Supported");
}

TEST(ProbePersistence, WarnsWhenItIsOff) {
  TwoLooks looks;
  for (GpuFacts& gpu : looks.after.gpus) gpu.persistence = 0;
  EXPECT_EQ(looks.line("persistence"),
            "WARN GPU 0,1,2,3,4,5,6,7: persistence is off: each start wakes the GPU for seconds");
  for (GpuFacts& gpu : looks.after.gpus) gpu.persistence = Number::none("no");
  EXPECT_EQ(looks.line("persistence"), "SKIP no");
}

TEST(ProbeTemperature, WarnsOfAHotGpu) {
  TwoLooks looks;
  looks.after.gpus[5].temperature = 91;
  EXPECT_EQ(looks.line("temperature"), "WARN GPU 5: 91 C; expected below 85 C");
  EXPECT_EQ(looks.answer("temperature").value, "up to 91 C");
  for (GpuFacts& gpu : looks.after.gpus) gpu.temperature = Number::none("no");
  EXPECT_EQ(looks.line("temperature"), "SKIP no");
}

TEST(ProbeClocks, WarnsOfReasonsAndOfTimeThatGrewDuringTheCheck) {
  TwoLooks looks;
  looks.after.gpus[4].clock_reasons = 0x40 | 0x4;
  EXPECT_EQ(looks.line("clocks"), "WARN GPU 4: its clocks are lowered: hardware thermal slowdown");
  looks.after.gpus[4].clock_reasons = 0x4;  // the power cap is usual under load
  EXPECT_EQ(looks.line("clocks"), "PASS ");
  looks.before.gpus[4].power_brake_ns = 1'000'000;
  looks.after.gpus[4].power_brake_ns = 6'500'000;
  EXPECT_EQ(looks.line("clocks"), "WARN GPU 4: 6 ms of power brake during the check");
  looks.before.gpus[4].power_brake_ns = 6'500'000;
  EXPECT_EQ(looks.line("clocks"), "PASS ") << "what was before the check is not its fault";
  for (GpuFacts& gpu : looks.after.gpus) {
    gpu.clock_reasons = gpu.software_thermal_ns = gpu.hardware_thermal_ns = gpu.power_brake_ns =
        Number::none("no");
  }
  EXPECT_EQ(looks.line("clocks"), "SKIP no");
}

TEST(ProbeStaleProcesses, FailsByTheFirstLookAlone) {
  TwoLooks looks;
  looks.after.gpus[0].processes = std::vector<std::uint64_t>{77};
  EXPECT_EQ(looks.line("stale_processes"), "PASS ") << "the check has processes of its own";
  looks.before.gpus[0].processes = std::vector<std::uint64_t>{4711, 4712};
  EXPECT_EQ(looks.line("stale_processes"), "FAIL GPU 0: is in use by process 4711, 4712");
  for (GpuFacts& gpu : looks.before.gpus) gpu.processes = {};
  EXPECT_EQ(looks.line("stale_processes"), "SKIP was not asked");
}

TEST(ProbeGpuMemory, FailsByTheFirstLookAlone) {
  TwoLooks looks;
  looks.after.gpus[0].memory_used = 1ULL << 30;
  EXPECT_EQ(looks.line("gpu_memory"), "PASS ");
  looks.before.gpus[7].memory_used = 1ULL << 30;
  EXPECT_EQ(looks.line("gpu_memory"),
            "FAIL GPU 7: 1024 MiB are in use before the job; expected at most 64");
  for (GpuFacts& gpu : looks.before.gpus) gpu.memory_used = Number::none("no");
  EXPECT_EQ(looks.line("gpu_memory"), "SKIP no");
}

TEST(ProbeEccMode, WarnsWhenItIsOff) {
  TwoLooks looks;
  looks.after.gpus[0].ecc_enabled = 0;
  EXPECT_EQ(looks.line("ecc_mode"), "WARN GPU 0: ECC is off: a flipped bit would pass unseen");
  for (GpuFacts& gpu : looks.after.gpus) gpu.ecc_enabled = Number::none("no");
  EXPECT_EQ(looks.line("ecc_mode"), "SKIP no");
}

TEST(ProbeEcc, FailsForNewErrorsAndWarnsOfOldOnes) {
  TwoLooks looks;
  looks.after.gpus[2].ecc_uncorrected_lifetime = 3;
  EXPECT_EQ(looks.line("ecc"),
            "WARN GPU 2: 3 uncorrected memory errors in its life, none since the driver was "
            "loaded");
  looks.after.gpus[2].ecc_corrected = 60'000'000;
  EXPECT_EQ(looks.answer("ecc").value, "0 uncorrected, 60000000 corrected");
  looks.after.gpus[1].ecc_uncorrected = 2;
  EXPECT_EQ(looks.line("ecc"),
            "FAIL GPU 1: 2 uncorrected memory errors since the driver was loaded; expected 0: "
            "reset the GPU");
  for (GpuFacts& gpu : looks.after.gpus) gpu.ecc_uncorrected = Number::none("no");
  EXPECT_EQ(looks.line("ecc"), "SKIP no");
}

TEST(ProbeRowRemap, FailsForAFailureAndWarnsOfWhatIsPending) {
  TwoLooks looks;
  looks.after.gpus[1].remap_pending = 1;
  EXPECT_EQ(looks.line("row_remap"),
            "WARN GPU 1: a memory row waits to be remapped: reset the GPU after the job");
  looks.after.gpus[3].remap_failed = 1;
  EXPECT_EQ(looks.line("row_remap"),
            "FAIL GPU 3: remapping a bad memory row failed: replace the GPU");
  for (GpuFacts& gpu : looks.after.gpus) gpu.remap_failed = Number::none("no");
  EXPECT_EQ(looks.line("row_remap"), "SKIP no");
}

TEST(ProbeXid, WeighsTheCodeItsAgeAndItsPlace) {
  TwoLooks looks;
  auto& xids = looks.after.host.kernel_xids;
  xids = std::vector<XidEvent>{{"0000:53:00", 31, 5}};
  EXPECT_EQ(looks.line("xid"), "PASS ") << "a fault of some program";
  xids = std::vector<XidEvent>{{"0000:53:00", 63, 600}};
  EXPECT_EQ(looks.line("xid"), "WARN GPU 3: XID 63, 10 min ago");
  xids = std::vector<XidEvent>{{"0000:53:00", 79, 200'000}};
  EXPECT_EQ(looks.line("xid"), "WARN GPU 3: XID 79, 55 h ago");
  xids = std::vector<XidEvent>{{"0000:53:00", 79, 30}, {"0000:ff:00", 48, 30}};
  EXPECT_EQ(looks.line("xid"),
            "FAIL GPU 3: XID 79, 30 s ago; the GPU at 0000:ff:00: XID 48, 30 s ago");
  xids = Fact<std::vector<XidEvent>>::none("the kernel's log cannot be read");
  EXPECT_EQ(looks.line("xid"), "PASS ") << "the watch alone will do";
  looks.after.host.watched_xids = std::vector<XidEvent>{{"0000:50:00", 31, 0}};
  EXPECT_EQ(looks.line("xid"), "WARN GPU 0: XID 31, during the check");
  looks.after.host.watched_xids = {};
  EXPECT_EQ(looks.line("xid"), "SKIP the kernel's log cannot be read");
}

TEST(ProbeNvlink, FailsForLinksThatAreDownOrMissing) {
  TwoLooks looks;
  looks.after.gpus[0].nvlinks_active = 17;
  EXPECT_EQ(looks.line("nvlink"), "FAIL GPU 0: 17 NVLinks are active; the profile expects 18");
  looks.after.gpus[0].nvlinks_down = {4};
  looks.expected.gpus.nvlinks.reset();
  EXPECT_EQ(looks.line("nvlink"), "FAIL GPU 0: NVLink 4 is down");
  for (GpuFacts& gpu : looks.after.gpus) gpu.nvlinks_active = Number::none("Not Supported");
  EXPECT_EQ(looks.line("nvlink"), "SKIP Not Supported");
}

TEST(ProbeGrowth, WarnsOfErrorsDuringTheCheckAlone) {
  TwoLooks looks;
  for (HealthFacts* look : {&looks.before, &looks.after}) look->gpus[1].nvlink_errors = 7;
  EXPECT_EQ(looks.line("nvlink_errors"), "PASS ");
  looks.after.gpus[1].nvlink_errors = 9;
  looks.after.gpus[2].pcie_replays = 4;
  EXPECT_EQ(looks.line("nvlink_errors"),
            "WARN GPU 1: 2 NVLink errors during the check; expected 0");
  EXPECT_EQ(looks.line("pcie_errors"), "WARN GPU 2: 4 PCIe replays during the check; expected 0");
  EXPECT_EQ(looks.answer("pcie_errors").value, "+4");
  looks.before.gpus[2].pcie_replays = 1000;  // was reset meanwhile
  EXPECT_EQ(looks.answer("pcie_errors").value, "+4");
  for (GpuFacts& gpu : looks.after.gpus) gpu.nvlink_errors = Number::none("no");
  EXPECT_EQ(looks.line("nvlink_errors"), "SKIP no");
}

TEST(ProbePcieWidth, ComparesWithTheProfileOrTheGpu) {
  TwoLooks looks;
  looks.after.gpus[0].pcie_width = 8;
  EXPECT_EQ(looks.line("pcie_width"), "FAIL GPU 0: its PCIe link is x8; expected x16");
  looks.expected.gpus.pcie_width.reset();
  EXPECT_EQ(looks.line("pcie_width"), "FAIL GPU 0: its PCIe link is x8; expected x16");
  looks.after.gpus[0].pcie_max_width = 8;
  EXPECT_EQ(looks.line("pcie_width"), "PASS ");
  for (GpuFacts& gpu : looks.after.gpus) gpu.pcie_width = Number::none("no");
  EXPECT_EQ(looks.line("pcie_width"), "SKIP no");
}

TEST(ProbePcieSpeed, DoesNotBlameAnIdleLink) {
  TwoLooks looks;
  for (HealthFacts* look : {&looks.before, &looks.after}) look->gpus[0].pcie_generation = 1;
  EXPECT_EQ(looks.line("pcie_speed"), "WARN GPU 0: its PCIe link runs at generation 1; expected 5");
  for (HealthFacts* look : {&looks.before, &looks.after}) {
    for (GpuFacts& gpu : look->gpus) {
      gpu.pcie_generation = 1;
      gpu.clock_reasons = 1;
    }
  }
  EXPECT_EQ(looks.line("pcie_speed"), "SKIP the GPUs are idle, and PCIe links slow down then");
  for (GpuFacts& gpu : looks.before.gpus) gpu.pcie_generation = 5;
  EXPECT_EQ(looks.line("pcie_speed"), "PASS ");
}

TEST(ProbeFabricManager, KnowsEveryState) {
  TwoLooks looks;
  const auto line_of = [&looks](std::uint64_t state, std::uint64_t status, std::uint64_t health) {
    for (GpuFacts& gpu : looks.after.gpus) {
      gpu.fabric_state = state;
      gpu.fabric_status = status;
      gpu.fabric_health = health;
    }
    looks.after.gpus.resize(1);
    return looks.line("fabric_manager");
  };
  EXPECT_EQ(line_of(3, 0, 0), "PASS ");
  EXPECT_EQ(line_of(0, 0, 0), "SKIP this machine has no NVLink fabric");
  EXPECT_EQ(line_of(1, 0, 0),
            "FAIL GPU 0: is not registered with the fabric manager: is it running?");
  EXPECT_EQ(line_of(2, 0, 0), "FAIL GPU 0: is still being registered with the fabric manager");
  EXPECT_EQ(line_of(3, 999, 0), "FAIL GPU 0: the fabric manager refused it: NVML error 999");
  EXPECT_EQ(line_of(3, 0, 2), "FAIL GPU 0: the driver calls its NVLink fabric unhealthy");
  EXPECT_EQ(line_of(3, 0, 3), "WARN GPU 0: its NVLink fabric works with limited capacity");
  looks.after.gpus[0].fabric_state = Number::none("Not Supported");
  EXPECT_EQ(looks.line("fabric_manager"), "SKIP Not Supported");
}

}  // namespace
}  // namespace muster::health
