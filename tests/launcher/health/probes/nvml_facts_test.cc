#include "launcher/health/probes/nvml_facts.h"

#include <gtest/gtest.h>

#include <cstdlib>

#include "launcher/health/probes/judge.h"

namespace muster::health {
namespace {

class NvmlFacts : public testing::Test {
 protected:
  ~NvmlFacts() override { ::unsetenv("MUSTER_FAKE_NVML"); }

  static HealthFacts ask(const char* orders, const char* library = FAKE_NVML) {
    ::setenv("MUSTER_FAKE_NVML", orders, 1);
    HealthFacts facts;
    facts.has_driver = true;
    read_nvml_facts(library, facts);
    return facts;
  }

  // The answer of a probe about a node whose driver is under `orders`.
  static std::string answer(const char* orders, const std::string& probe,
                            const char* library = FAKE_NVML) {
    const HealthFacts facts = ask(orders, library);
    for (const ProbeResult& result : judge_health(facts, facts, {})) {
      if (result.probe == probe) {
        return std::string(to_string(result.answer)) + " " + result.reason;
      }
    }
    return "there is no such probe";
  }
};

TEST_F(NvmlFacts, AreThoseOfTheDriverInTheOrderOfTheBus) {
  const HealthFacts facts = ask("gpus=2 volatile@0=3 memory@1=1073741824 field270@1=77");
  EXPECT_EQ(facts.driver_problem, "");
  EXPECT_EQ(facts.versions.at("driver"), "550.90.07");
  EXPECT_EQ(facts.versions.at("CUDA of the driver"), "12.4");
  ASSERT_EQ(facts.gpus.size(), 2U);
  const GpuFacts& gpu = facts.gpus[1];
  EXPECT_EQ(gpu.index, 0U);
  EXPECT_EQ(gpu.uuid, "GPU-00000000-d72c-4106-c12f-20bd9faed9f6");
  EXPECT_EQ(gpu.bus_id, "0000:80:00");
  EXPECT_EQ(gpu.name, "NVIDIA H100 80GB HBM3");
  EXPECT_EQ(gpu.ecc_uncorrected, Number(3));
  EXPECT_EQ(gpu.nvlinks_active, Number(18));
  EXPECT_EQ(gpu.pcie_width, Number(16));
  EXPECT_EQ(gpu.fabric_state, Number(3));
  EXPECT_EQ(gpu.fabric_health, Number(1));
  EXPECT_EQ(gpu.max_sm_clock, Number(1980));
  EXPECT_EQ(gpu.memory_used, Number(4U << 20));
  EXPECT_EQ(facts.gpus[0].memory_used, Number(1U << 30));
  EXPECT_EQ(facts.gpus[0].hardware_thermal_ns, Number(77));
}

TEST_F(NvmlFacts, ReachTheirProbes) {
  EXPECT_EQ(answer("gpus=8 volatile@3=1", "ecc").substr(0, 12), "FAIL GPU 3: ");
  EXPECT_EQ(answer("gpus=8 failure@2=1", "row_remap").substr(0, 12), "FAIL GPU 2: ");
  EXPECT_EQ(answer("gpus=8 pending@2=1", "row_remap").substr(0, 12), "WARN GPU 2: ");
  EXPECT_EQ(answer("gpus=8 field230@1=1", "recovery_action"),
            "FAIL GPU 1: the driver asks to reset the GPU");
  EXPECT_EQ(answer("gpus=8 link_down@5=7", "nvlink"), "FAIL GPU 5: NVLink 7 is down");
  EXPECT_EQ(answer("gpus=8 width@6=8", "pcie_width"),
            "FAIL GPU 6: its PCIe link is x8; expected x16");
  EXPECT_EQ(answer("gpus=8 fabric_state=1", "fabric_manager").substr(0, 26),
            "FAIL GPU 7,6,5,4,3,2,1,0: ");
  EXPECT_EQ(answer("gpus=8 reasons@4=128", "clocks"),
            "WARN GPU 4: its clocks are lowered: power brake");
  EXPECT_EQ(answer("gpus=8 process@0=4711", "stale_processes"),
            "FAIL GPU 0: is in use by process 4711");
  EXPECT_EQ(answer("gpus=8 mig@0=1", "gpu_mode").substr(0, 12), "FAIL GPU 0: ");
  EXPECT_EQ(answer("gpus=8 persistence=0", "persistence").substr(0, 4), "WARN");
  EXPECT_EQ(answer("gpus=8 ecc_mode=0", "ecc_mode").substr(0, 4), "WARN");
  EXPECT_EQ(answer("gpus=8 celsius@0=90", "temperature").substr(0, 11), "WARN GPU 0:");
  EXPECT_EQ(answer("gpus=8 lost=3", "gpu_lost"), "FAIL GPU 3: GPU is lost");
  EXPECT_EQ(answer("gpus=8 init=999", "driver"),
            "FAIL the GPU driver does not start: Unknown Error");
}

TEST_F(NvmlFacts, KnowAnOlderFabricStructure) {
  const HealthFacts facts = ask("gpus=1 old_fabric fabric_status=5");
  EXPECT_EQ(facts.gpus.at(0).fabric_state, Number(3));
  EXPECT_EQ(facts.gpus.at(0).fabric_status, Number(5));
  EXPECT_EQ(facts.gpus.at(0).fabric_health, Number(0));
}

TEST_F(NvmlFacts, SkipWhatTheGpuRefuses) {
  EXPECT_EQ(answer("gpus=1 refuse=nvlink", "nvlink"), "SKIP NVML error 3");
  EXPECT_EQ(answer("gpus=1 refuse=volatile", "ecc"), "SKIP NVML error 3");
  EXPECT_EQ(answer("gpus=1 refuse=fabric_state", "fabric_manager"), "SKIP NVML error 3");
}

TEST_F(NvmlFacts, SkipWithAReasonWhatAnOldDriverLacks) {
  const std::map<std::string, std::string> symbols = {
      {"ecc", "nvmlDeviceGetTotalEccErrors"},
      {"ecc_mode", "nvmlDeviceGetEccMode"},
      {"row_remap", "nvmlDeviceGetRemappedRows"},
      {"recovery_action", "nvmlDeviceGetFieldValues"},
      {"nvlink", "nvmlDeviceGetNvLinkState"},
      {"pcie_width", "nvmlDeviceGetCurrPcieLinkWidth"},
      {"pcie_speed", "nvmlDeviceGetCurrPcieLinkGeneration"},
      {"fabric_manager", "nvmlDeviceGetGpuFabricInfoV"},
      {"clocks", "nvmlDeviceGetCurrentClocksEventReasons"},
      {"temperature", "nvmlDeviceGetTemperature"},
      {"persistence", "nvmlDeviceGetPersistenceMode"},
      {"gpu_mode", "nvmlDeviceGetComputeMode"},
      {"stale_processes", "nvmlDeviceGetComputeRunningProcesses_v3"},
      {"gpu_memory", "nvmlDeviceGetMemoryInfo_v2"},
  };
  for (const auto& [probe, symbol] : symbols) {
    EXPECT_EQ(answer("gpus=2", probe, OLD_NVML_LIBRARY), "SKIP this driver has no " + symbol)
        << probe;
  }
  EXPECT_EQ(ask("gpus=2", OLD_NVML_LIBRARY).gpus.size(), 2U);
}

TEST_F(NvmlFacts, LeaveOutAGpuThatIsNotOurs) {
  EXPECT_EQ(ask("gpus=3 denied=1").gpus.size(), 2U);
}

}  // namespace
}  // namespace muster::health
