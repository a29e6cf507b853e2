// What a line written for torchrun means to muster.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "launcher/options/options.h"

namespace muster::options {
namespace {

using Words = std::vector<std::string>;

Parsed parsed(const Words& words, const Environment& environment = {}) {
  Result<Parsed> result = parse_command_line(words, environment);
  EXPECT_TRUE(result) << (result ? "" : result.error().message());
  return result ? *std::move(result) : Parsed{};
}

std::string error_of(const Words& words, const Environment& environment = {}) {
  const Result<Parsed> result = parse_command_line(words, environment);
  EXPECT_FALSE(result);
  return result ? "" : result.error().message();
}

std::string step_error(const Words& words, const StepFacts& facts) {
  const Status status = check_against_step(parsed(words).options, facts);
  return status ? "" : status.error().message();
}

TEST(TorchrunLine, TheUsualScriptRunsUnchanged) {
  const Parsed line =
      parsed({"--nnodes=4", "--nproc_per_node=8", "--rdzv_id=4242", "--rdzv_backend=c10d",
              "--rdzv_endpoint=node1:29500", "--max_restarts=0", "train.py", "--lr", "3e-4"});
  EXPECT_EQ(line.options.program.words, (Words{"train.py", "--lr", "3e-4"}));
  EXPECT_EQ(line.options.run_id, "4242");
  EXPECT_EQ(line.options.workers_per_node.count, 8u);
  EXPECT_EQ(line.notes,
            (Words{"ignoring --rdzv_backend=c10d, --rdzv_endpoint=node1:29500: muster meets by a "
                   "rendezvous of its own; see --assemble-deadline"}));
}

TEST(TorchrunLine, TheStaticScriptRunsUnchanged) {
  const Parsed line = parsed({"--nnodes", "4", "--node_rank", "2", "--nproc_per_node", "gpu",
                              "--master_addr", "node1", "--master_port", "29500", "train.py"});
  EXPECT_EQ(line.options.node_rank->rank, 2u);
  EXPECT_EQ(line.options.workers_per_node.wish, WorkersPerNode::Wish::kGpu);
  EXPECT_EQ(line.options.master_port, 29500);
  EXPECT_EQ(line.notes.size(), 1u);
}

TEST(TorchrunLine, ModuleNoPythonAndRunPathExcludeOneAnother) {
  EXPECT_EQ(parsed({"-m", "pkg.train", "-m"}).options.program,
            (Program{ProgramKind::kModule, {"pkg.train", "-m"}}));
  EXPECT_EQ(parsed({"--no_python", "a.py"}).options.program.kind, ProgramKind::kExecutable);
  EXPECT_EQ(parsed({"--run-path", "a"}).options.program.kind, ProgramKind::kScript);
  EXPECT_EQ(error_of({"-m", "--no-python", "a"}),
            "--no-python: -m, --no-python and --run-path exclude one another; write one of them");
}

TEST(TorchrunLine, RedirectsAndTeeChooseTheOutput) {
  const auto target = [](const Words& words) { return parsed(words).options.output.target; };
  EXPECT_EQ(target({"-r", "0", "a"}), OutputTarget::kConsole);
  EXPECT_EQ(target({"-r", "3", "a"}), OutputTarget::kFiles);
  EXPECT_EQ(target({"-r3", "a"}), OutputTarget::kFiles);
  EXPECT_EQ(target({"--tee=3", "-r=3", "a"}), OutputTarget::kBoth);
  EXPECT_EQ(target({"-r", "3", "-t", "3", "a"}), OutputTarget::kBoth);
  EXPECT_EQ(target({"-t", "0:0,1:0", "a"}), OutputTarget::kConsole);
  EXPECT_EQ(target({"-r", "0:1,12:3", "a"}), OutputTarget::kBoth);
  EXPECT_EQ(parsed({"-r", "2", "a"}).notes,
            (Words{"-r=2: taken as --output=both; muster writes both streams of every worker"}));
  EXPECT_EQ(error_of({"-r", "4", "a"}), "-r=4: expected a whole number from 0 to 3");
  EXPECT_EQ(error_of({"-r", "1,2", "a"}), "-r=1,2: expected 0 to 3, or pairs such as 0:3,1:3");
}

TEST(TorchrunLine, RestartsAreTaken) {
  EXPECT_EQ(parsed({"a"}).options.max_restarts, 0u);
  EXPECT_EQ(parsed({"--max-restarts=3", "a"}).options.max_restarts, 3u);
  EXPECT_TRUE(parsed({"--max-restarts=3", "a"}).notes.empty());
  EXPECT_EQ(error_of({"--max-restarts=3", "--exec", "a"}),
            "--exec with --max-restarts: the agent becomes the program and nobody stays to restart "
            "it; leave one of them out");
  EXPECT_EQ(error_of({"--max-restarts=3", "--stdin=0", "a"}),
            "--stdin with --max-restarts: what a rank has read is gone for the next attempt; leave "
            "one of them out");
}

TEST(TorchrunLine, ShutdownTimeoutIsStopGrace) {
  EXPECT_EQ(parsed({"--shutdown-timeout=30", "a"}).options.stop_grace, std::chrono::seconds(30));
}

TEST(TorchrunLine, VirtualLocalRankIsRefusedWithTheCure) {
  EXPECT_EQ(error_of({"--virtual-local-rank", "a"}),
            "--virtual-local-rank: workers have their real LOCAL_RANK and see all their node's "
            "GPUs; leave the flag out and choose the GPU by LOCAL_RANK");
}

TEST(TorchrunLine, AnUnknownDeviceNameIsRefused) {
  EXPECT_EQ(error_of({"--nproc-per-node=xpu", "a"}),
            "--nproc-per-node=xpu: expected gpu, cpu, auto or a number from 1 to 1024");
}

TEST(PetVariables, AreReadAndLoseAgainstTheCommandLine) {
  const Environment environment{{"PET_NNODES", "4"},       {"PET_NPROC_PER_NODE", "8"},
                                {"PET_MODULE", "1"},       {"PET_STANDALONE", "0"},
                                {"PET_RDZV_ENDPOINT", ""}, {"PET_SHUTDOWN_TIMEOUT", "30"}};
  const Parsed line = parsed({"--nproc-per-node=2", "--stop-grace=5", "pkg"}, environment);
  EXPECT_EQ(line.options.workers_per_node.count, 2u);
  EXPECT_EQ(line.options.nodes, (NodeCountWish{4, 4, "PET_NNODES=4"}));
  EXPECT_EQ(line.options.program.kind, ProgramKind::kModule);
  EXPECT_FALSE(line.options.standalone);
  EXPECT_EQ(line.options.stop_grace, std::chrono::seconds(5));
  EXPECT_TRUE(line.notes.empty());
}

TEST(PetVariables, AreNamedInErrorsAndNotes) {
  EXPECT_EQ(error_of({"a"}, {{"PET_NNODES", "many"}}),
            "PET_NNODES=many: expected N or MIN:MAX, numbers from 1 to 65536");
  EXPECT_EQ(error_of({"a"}, {{"PET_STANDALONE", "yes"}}), "PET_STANDALONE=yes: expected 0 or 1");
  EXPECT_EQ(parsed({"a"}, {{"PET_MONITOR_INTERVAL", "5"}}).notes[0].substr(0, 31),
            "ignoring PET_MONITOR_INTERVAL=5");
}

TEST(PetVariables, DoNotReachThroughACommandLineFlag) {
  EXPECT_EQ(parsed({"--nnodes=2", "a"}, {{"PET_NNODES", "broken"}}).options.nodes->minimum, 2u);
}

TEST(CheckAgainstStep, PrintsBothNodeCounts) {
  EXPECT_EQ(step_error({"--nnodes=4", "a"}, {.node_count = 4}), "");
  EXPECT_EQ(step_error({"--nnodes=4", "a"}, {.node_count = 1}),
            "--nnodes=4, but this step has 1 node; write srun --nodes=4, or leave --nnodes out");
  EXPECT_EQ(step_error({"a"}, {.node_count = 7}), "");
}

TEST(CheckAgainstStep, ARangeIsHeld) {
  const Parsed line = parsed({"--nnodes=2:4", "a"});
  EXPECT_TRUE(line.notes.empty());
  EXPECT_TRUE(check_against_step(line.options, {.node_count = 3}));
  EXPECT_FALSE(check_against_step(line.options, {.node_count = 5}));
  EXPECT_EQ(error_of({"--nnodes=4:2", "a"}),
            "--nnodes=4:2: expected N or MIN:MAX, numbers from 1 to 65536");
  EXPECT_EQ(step_error({"--nnodes=1:2", "a"}, {.node_count = 4}),
            "--nnodes=1:2, but this step has 4 nodes; write srun --nodes=2, or leave --nnodes out");
  EXPECT_EQ(step_error({"--nnodes=6:8", "a"}, {.node_count = 4}),
            "--nnodes=6:8, but this step has 4 nodes; write srun --nodes=6, or leave --nnodes out");
}

TEST(CheckAgainstStep, AVariableExpandedBeforeSrunIsSeen) {
  const StepFacts third{.node_count = 4, .node = NodeIndex{2}, .proc_id = 17};
  EXPECT_EQ(step_error({"--node-rank=2", "a"}, third), "");
  EXPECT_EQ(step_error({"--node-rank=17", "a"}, third), "");
  EXPECT_EQ(step_error({"--node_rank=0", "a"}, third),
            "--node_rank=0, but this is node 2 of the step (SLURM_NODEID); leave --node-rank out, "
            "muster knows it (was a variable in double quotes expanded before srun started?)");
}

}  // namespace
}  // namespace muster::options
