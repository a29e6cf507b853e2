#include "launcher/health/probes/gather.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include "launcher/health/probes/judge.h"
#include "tests/launcher/health/probes/p5_tree.h"

namespace muster::health {
namespace {

namespace fs = std::filesystem;

const Expectations kP5{{"H100", 8, 18, 16, 5}, {true, 32, 100}};

class LookAtNode : public P5Tree {
 protected:
  HealthFacts look(const char* orders = "gpus=8") {
    ::setenv("MUSTER_FAKE_NVML", orders, 1);
    return look_at_node(options_);
  }

  // The answer of one probe of one look.
  std::string answer(const std::string& probe, const char* orders = "gpus=8") {
    const HealthFacts facts = look(orders);
    for (const ProbeResult& result : judge_health(facts, facts, kP5)) {
      if (result.probe == probe) {
        return std::string(to_string(result.answer)) + " " + result.reason;
      }
    }
    return "there is no such probe";
  }
};

TEST_F(LookAtNode, FindsAHealthyP5Node) {
  const HealthFacts facts = look();
  EXPECT_EQ(facts.host_problem, "");
  EXPECT_EQ(facts.host.instance_type, "p5.48xlarge");
  EXPECT_EQ(facts.host.instance_id, "i-0123456789abcdef0");
  EXPECT_EQ(facts.host.memlock, Number(kUnlimited));
  EXPECT_EQ(facts.host.nofile, Number(1'048'576));
  EXPECT_EQ(facts.host.gpu_files, Number(8));
  EXPECT_EQ(facts.host.modules, (std::vector<std::string>{"efa", "gdrdrv", "ib_uverbs"}));
  EXPECT_EQ(facts.host.kernel_xids, Fact<std::vector<XidEvent>>(std::vector<XidEvent>{}));
  EXPECT_GT(facts.host.disks.at(0).free_bytes.value.value_or(0), 0U);
  EXPECT_EQ(facts.versions.at("driver"), "550.90.07");
  EXPECT_EQ(facts.versions.at("kernel"), "5.15.0-1084-aws");
  EXPECT_EQ(facts.versions.at("EFA module"), "2.13.0g");
  EXPECT_EQ(facts.versions.at("EFA installer"), "1.38.0");
  ASSERT_TRUE(facts.host.nics.value.has_value());
  ASSERT_EQ(facts.host.nics.value->size(), 32U);
  const NicFacts& nic = facts.host.nics.value->back();
  EXPECT_EQ(nic.state, "ACTIVE");
  EXPECT_EQ(nic.rate_gbit, Number(100));
  EXPECT_EQ(nic.counters.at("retrans_timeout_events"), 3U);
  for (const ProbeResult& result : judge_health(facts, facts, kP5)) {
    if (result.probe == "shm_size" || result.probe == "disk") continue;  // of this machine
    EXPECT_TRUE(result.answer == Answer::kPass || result.answer == Answer::kSkip)
        << result.probe << ": " << result.reason;
  }
}

TEST_F(LookAtNode, FindsWhatIsBrokenInTheTree) {
  fs::remove_all(root_ / "sys/class/infiniband/rdmap79s0");
  EXPECT_EQ(answer("efa_count"), "FAIL there are 31 EFA devices; the profile expects 32");
  write("sys/class/infiniband/rdmap96s0/ports/1/state", "1: DOWN");
  EXPECT_EQ(answer("efa_link"), "FAIL rdmap96s0: its link is DOWN; expected ACTIVE");
  fs::remove_all(root_ / "sys/module/gdrdrv");
  EXPECT_EQ(answer("modules"), "WARN the kernel module gdrdrv is not loaded");
  write("proc/self/limits",
        "Max open files     1024    4096   files|Max locked memory   65536   65536   bytes");
  EXPECT_TRUE(answer("memlock").starts_with("FAIL at most 0 MiB can be locked"));
  EXPECT_TRUE(answer("nofile").starts_with("WARN at most 1024 files"));
  write("dev/shm/nccl-AbCdEf", "");
  write("dev/shm/sem.other", "");
  EXPECT_TRUE(answer("shm_leftovers").starts_with("WARN a file of earlier jobs"));
  write("dev/kmsg", "3,9,99990000000,-;NVRM: Xid (PCI:0000:7f:00): 79, pid=1, GPU has fallen off");
  EXPECT_EQ(answer("xid"), "FAIL GPU 1: XID 79, 10 s ago");
  fs::remove_all(root_ / "opt/amazon/ofi-nccl");
  EXPECT_TRUE(answer("plug_in").starts_with("WARN no network plug-in"));
}

TEST_F(LookAtNode, SkipsAKernelLogThatItMayNotRead) {
  fs::remove(root_ / "dev/kmsg");
  EXPECT_EQ(answer("xid"), "SKIP the kernel's log cannot be read: No such file or directory");
}

TEST_F(LookAtNode, CallsADriverThatHangsAFindingAndStillSeesTheHost) {
  options_.driver_limit = Duration{200};
  const HealthFacts facts = look("gpus=8 hang");
  EXPECT_EQ(facts.driver_problem, "the GPU driver did not answer in 200 ms");
  EXPECT_EQ(facts.host.nics.value->size(), 32U);
  EXPECT_EQ(judge_health(facts, facts, kP5).front().answer, Answer::kFail);
}

TEST_F(LookAtNode, CallsAHostThatHangsAFinding) {
  options_.host_limit = Duration{200};
  fs::remove(root_ / "proc/uptime");
  ASSERT_EQ(::mkfifo(path("proc/uptime").c_str(), 0600), 0);  // nobody ever writes
  const HealthFacts facts = look();
  EXPECT_EQ(facts.host_problem, "the look at the host did not answer in 200 ms");
  EXPECT_EQ(facts.gpus.size(), 8U);
}

TEST_F(LookAtNode, AsksNoDriverThatIsNotLoaded) {
  fs::remove_all(root_ / "proc/driver");
  EXPECT_EQ(look("init=999").driver_problem, "no NVIDIA driver is loaded");
}

TEST_F(LookAtNode, WaitsForAnEarlierJobToLeaveTheGpus) {
  options_.stale_patience = Duration{300};
  EXPECT_EQ(answer("stale_processes", "gpus=8 process@0=4711"),
            "FAIL GPU 0: is in use by process 4711");
  EXPECT_EQ(answer("stale_processes"), "PASS ");
}

}  // namespace
}  // namespace muster::health
