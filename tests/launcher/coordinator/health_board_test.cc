#include "launcher/coordinator/health_board.h"

#include <gtest/gtest.h>

#include "launcher/coordinator/health_report.h"
#include "launcher/health/probes/probe_limits.h"
#include "tests/launcher/health/probes/healthy_node.h"

namespace muster::launcher {
namespace {

using health::HealthFacts;
using Lines = std::vector<std::string>;

NodeLooked look_of(const HealthFacts& facts) {
  return {LookId{1}, health::encode(facts), "", {}};
}

HealthBoard board_of(const std::vector<HealthFacts>& nodes) {
  Lines hosts;
  for (std::size_t i = 0; i < nodes.size(); ++i) hosts.push_back("node" + std::to_string(i + 1));
  HealthBoard board(hosts);
  board.begin_look({});
  for (std::size_t i = 0; i < nodes.size(); ++i) board.note(i, look_of(nodes[i]), {});
  return board;
}

std::string joined(const Lines& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

TEST(HealthBoard, HealthyNodesAreOneLine) {
  HealthBoard board = board_of({health::healthy_node(), health::healthy_node()});
  const Lines lines = board.judge(health::p5());
  ASSERT_EQ(lines.size(), 1u) << joined(lines);
  EXPECT_TRUE(lines[0].starts_with("health: 2 nodes, ")) << lines[0];
  EXPECT_EQ(lines[0].find("warned"), std::string::npos) << lines[0];
  EXPECT_FALSE(board.is_unfit());
}

TEST(HealthBoard, AFailureNamesNodeProbeValueAndReason) {
  HealthFacts sick = health::healthy_node();
  sick.host.nofile = 256;
  HealthBoard board = board_of({health::healthy_node(), sick, health::healthy_node()});
  health::Expectations expected = health::p5();
  expected.host.nofile = 65536;
  const Lines lines = board.judge(expected);
  EXPECT_TRUE(board.is_unfit());
  EXPECT_TRUE(lines.at(0).starts_with(
      "health: node2: FAIL nofile 256: at most 256 files can be open; expected 65536"))
      << joined(lines);
}

TEST(HealthBoard, TheSameFindingOfSeveralNodesIsOneLine) {
  HealthFacts small = health::healthy_node();
  small.host.shm_bytes = 4 * health::kMebi * 1024;
  HealthBoard board = board_of({small, small, small});
  const Lines lines = board.judge(health::p5());
  ASSERT_EQ(lines.size(), 2u) << joined(lines);
  EXPECT_TRUE(lines[0].starts_with("health: node[1-3]: WARN shm_size 4.0 GiB: ")) << lines[0];
  EXPECT_FALSE(board.is_unfit());
}

TEST(HealthBoard, ManyFindingsAreCounted) {
  std::vector<HealthFacts> nodes(40, health::healthy_node());
  for (std::size_t i = 0; i < nodes.size(); ++i) nodes[i].host.nofile = 100 + i;
  HealthBoard board = board_of(nodes);
  health::Expectations expected = health::p5();
  expected.host.nofile = 65536;
  const Lines lines = board.judge(expected);
  EXPECT_NE(joined(lines).find("health: and 24 more such findings\n"), std::string::npos)
      << joined(lines);
  EXPECT_LT(lines.size(), 25u) << joined(lines);
}

TEST(HealthBoard, TheOddOneIsUnfitWhereNodesMustAgree) {
  HealthFacts odd = health::healthy_node();
  odd.gpus.pop_back();
  HealthBoard board = board_of({health::healthy_node(), odd, health::healthy_node()});
  const Lines lines = board.judge({});
  EXPECT_TRUE(board.is_unfit());
  EXPECT_NE(joined(lines).find("health: node2: GPUs 7, 2 others 8 (FAIL"), std::string::npos)
      << joined(lines);
}

TEST(HealthBoard, ADriverThatHungFailsAndALateLookOnlyWarns) {
  HealthFacts hung = health::healthy_node();
  hung.gpus.clear();
  hung.driver_problem = "the GPU driver did not answer in 10 s";
  HealthBoard board = board_of({hung});
  EXPECT_TRUE(joined(board.judge(health::p5())).find("FAIL driver") != std::string::npos);
  EXPECT_TRUE(board.is_unfit());

  HealthBoard late({"node1", "node2"});
  late.begin_look({});
  late.note(0, look_of(health::healthy_node()), {});
  EXPECT_FALSE(late.is_complete());
  late.end_look("its agent did not answer in 20 s");
  EXPECT_TRUE(late.is_complete());
  const std::string text = joined(late.judge(health::p5()));
  EXPECT_NE(text.find("node2: WARN look: its agent did not answer in 20 s"), std::string::npos)
      << text;
  EXPECT_FALSE(late.is_unfit()) << text;
}

TEST(HealthBoard, ANodeWhoseHostCouldNotBeSeenDiffersInNothing) {
  HealthFacts unseen = health::healthy_node();
  unseen.host = {};
  unseen.host_problem = "the look at the host did not answer in 5 s";
  unseen.versions.clear();
  HealthBoard board = board_of({health::healthy_node(), unseen, health::healthy_node()});
  const std::string text = joined(board.judge(health::p5()));
  EXPECT_FALSE(board.is_unfit()) << text;
  EXPECT_NE(text.find("health: node2: WARN host: the look at the host did not answer in 5 s\n"),
            std::string::npos)
      << text;
}

TEST(HealthBoard, FactsThatAreNoneAreAFindingOfTheirNode) {
  HealthBoard board({"node1"});
  board.begin_look({});
  board.note(0, {LookId{1}, "no JSON", "", {}}, {});
  board.note(7, look_of(health::healthy_node()), {});
  EXPECT_NE(joined(board.judge({})).find("1 warned (look)"), std::string::npos);
}

TEST(HealthBoard, OnAMachineThatNobodyTrainsOnWarningsAreOnlyCounted) {
  HealthFacts laptop;
  laptop.driver_problem = "no NVIDIA driver is loaded";
  laptop.host.memlock = 65536;
  laptop.host.nofile = 1024;
  laptop.host.shm_bytes = 64 * health::kMebi;
  laptop.host.disks = {{"/tmp", 1000}};
  HealthBoard board = board_of({laptop});
  const Lines lines = board.judge({});
  ASSERT_EQ(lines.size(), 1u) << joined(lines);
  EXPECT_NE(lines[0].find("4 warned (disk, memlock, nofile, shm_size)"), std::string::npos)
      << lines[0];
  EXPECT_FALSE(board.is_unfit());
  EXPECT_FALSE(board.has_devices());
}

TEST(HealthBoard, ACounterThatGrewInTheCheckFailsInTheSecondLook) {
  HealthBoard board = board_of({health::healthy_node()});
  EXPECT_TRUE(board.has_devices());
  board.judge(health::p5());
  EXPECT_FALSE(board.is_unfit());
  HealthFacts after = health::healthy_node();
  after.taken_at_ms = 9000;
  after.gpus[3].hardware_thermal_ns = 5'000'000'000;
  after.gpus[3].clock_reasons = 0x40;
  after.gpus[3].ecc_uncorrected = 1;
  board.begin_look({});
  board.note(0, look_of(after), {});
  const std::string text = joined(board.judge(health::p5()));
  EXPECT_NE(text.find("FAIL ecc"), std::string::npos) << text;
  EXPECT_EQ(text.find("health: 1 node,"), std::string::npos) << "told twice: " << text;
  EXPECT_TRUE(board.is_unfit());
}

TEST(HealthBoard, SettingsThatDifferAreTold) {
  HealthBoard board({"node1", "node2", "node3"});
  board.begin_look({});
  for (std::size_t i = 0; i < 3; ++i) {
    NodeLooked look = look_of(health::healthy_node());
    look.settings = {i == 1 ? "NCCL_DEBUG=INFO" : "NCCL_DEBUG=WARN", "broken"};
    board.note(i, look, {});
  }
  const std::string text = joined(board.judge(health::p5()));
  EXPECT_NE(text.find("node2: NCCL_DEBUG INFO, 2 others WARN"), std::string::npos) << text;
  EXPECT_FALSE(board.is_unfit());
}

HealthFacts silent_node() {
  HealthFacts facts = health::healthy_node();
  facts.nccl = {};
  return facts;
}

TEST(HealthBoard, ANodeWhoseNcclFellBackToSocketsIsUnfit) {
  HealthBoard board = board_of({silent_node(), silent_node(), silent_node()});
  board.judge(health::p5());
  EXPECT_FALSE(board.is_unfit());
  for (std::size_t node = 0; node < 3; ++node) {
    for (std::size_t rank = 0; rank < 8; ++rank) {
      health::NcclFacts told{"2.28.3", "1.16.3", "Libfabric", "efa", 32, 64, 64};
      if (node == 1 && rank == 5) told = {"2.28.3", "", "Socket", "", 0, 0, 0};
      board.note_nccl(node, told);
    }
  }
  board.note_nccl(99, {});
  const std::string text = joined(board.judge(health::p5()));
  EXPECT_TRUE(board.is_unfit());
  EXPECT_NE(text.find("health: node2: FAIL network Socket: NCCL fell back to TCP sockets"),
            std::string::npos)
      << text;
  EXPECT_NE(text.find("health: node2: NCCL's network Socket, 2 others Libfabric"),
            std::string::npos)
      << text;
}

// On one node nothing goes over it.
TEST(HealthBoard, OfOneNodeAloneSocketsOnlyWarn) {
  HealthBoard board = board_of({silent_node()});
  board.note_nccl(0, {"2.28.3", "", "Socket", "", 0, 0, 0});
  const std::string text = joined(board.judge(health::p5()));
  EXPECT_FALSE(board.is_unfit());
  EXPECT_NE(text.find("node1: WARN network Socket: "), std::string::npos) << text;
}

TEST(HealthBoard, ANodeThatCouldNotTellItsNcclDiffersInNothing) {
  HealthBoard board = board_of({silent_node(), silent_node(), silent_node()});
  for (std::size_t node = 0; node < 2; ++node) {
    board.note_nccl(node, {"2.28.3", "1.16.3", "Libfabric", "efa", 32, 64, 64});
  }
  const std::string text = joined(board.judge(health::p5()));
  EXPECT_FALSE(board.is_unfit()) << text;
  EXPECT_TRUE(board.disagreements().empty()) << text;
  board.note_nccl(2, {"2.20.5", "1.16.3", "Libfabric", "efa", 32, 64, 64});
  EXPECT_NE(joined(board.judge(health::p5())).find("node3: NCCL 2.20.5, 2 others 2.28.3 (FAIL"),
            std::string::npos);
}

TEST(HealthReport, HoldsNodesProbesAndTheVerdict) {
  HealthFacts sick = health::healthy_node();
  sick.gpus[2].problem = "\xff is lost";
  HealthBoard board = board_of({health::healthy_node(), sick});
  board.judge(health::p5());
  CheckRecord record;
  record.exit_code = 83;
  bench::Profile profile;
  profile.name = "p5";
  record.profile = &profile;
  record.health = &board;
  const std::string text = print_health_report(record);
  for (const char* part : {"\"verdict\":\"unfit\"", "\"exit_code\":83", "\"host\":\"node2\"",
                           "\"probe\":\"gpu_lost\"", "\"profile\":\"p5\"", "\"version\":2"}) {
    EXPECT_NE(text.find(part), std::string::npos) << part;
  }
  EXPECT_EQ(text.find("measurement"), std::string::npos);
  EXPECT_EQ(text.find('\n'), std::string::npos);
}

}  // namespace
}  // namespace muster::launcher
