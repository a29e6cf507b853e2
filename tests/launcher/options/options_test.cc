#include "launcher/options/options.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace muster::options {
namespace {

using namespace std::chrono_literals;
using Words = std::vector<std::string>;

Options parsed(const Words& words, const Environment& environment = {}) {
  const Result<Parsed> result = parse_command_line(words, environment);
  EXPECT_TRUE(result) << (result ? "" : result.error().message());
  return result ? result->options : Options{};
}

std::string error_of(const Words& words, const Environment& environment = {}) {
  const Result<Parsed> result = parse_command_line(words, environment);
  EXPECT_FALSE(result);
  return result ? "" : result.error().message();
}

TEST(CommandLine, TheFirstWordThatIsNoOptionBeginsTheProgram) {
  const Options options = parsed({"--check=off", "train.py", "--check=nccl", "--", "-x"});
  EXPECT_EQ(options.check.mode, CheckMode::kOff);
  EXPECT_EQ(options.program.words, (Words{"train.py", "--check=nccl", "--", "-x"}));
  EXPECT_EQ(options.program.kind, ProgramKind::kByName);
}

TEST(CommandLine, TwoDashesEndTheOptions) {
  EXPECT_EQ(parsed({"--", "--strange-name", "a"}).program.words, (Words{"--strange-name", "a"}));
  EXPECT_EQ(parsed({"run", "--", "run"}).program.words, (Words{"run"}));
  EXPECT_EQ(parsed({"-"}).program.words, (Words{"-"}));
}

TEST(CommandLine, CheckRunsNoProgram) {
  const Options options = parsed({"check", "--json=a.json", "--profile=p5", "--health-only"});
  EXPECT_EQ(options.command, Command::kCheck);
  EXPECT_EQ(options.json, "a.json");
  EXPECT_EQ(parsed({"check", "--html", "a.html"}).html, "a.html");
  EXPECT_EQ(options.profile, "p5");
  EXPECT_TRUE(options.health_only);
  EXPECT_EQ(parsed({"--", "check"}).program.words, Words{"check"});
  EXPECT_NE(error_of({"check", "a.out"}).find("'a.out' is given"), std::string::npos);
  EXPECT_NE(error_of({"check", "--check=off"}).find("--check=off"), std::string::npos);
  EXPECT_NE(error_of({"check", "--exec"}).find("--exec"), std::string::npos);
  EXPECT_NE(error_of({"check", "--dry-run"}).find("--dry-run"), std::string::npos);
  EXPECT_NE(error_of({"check", "--prewarm=true"}).find("--prewarm"), std::string::npos);
  EXPECT_NE(error_of({"--json=x", "a"}).find("muster check --json=FILE"), std::string::npos);
  EXPECT_NE(error_of({"--html=x", "a"}).find("muster check --html=FILE"), std::string::npos);
  EXPECT_NE(error_of({"--health-only", "a"}).find("muster check --health-only"), std::string::npos);
}

TEST(CommandLine, ResultsDoNotGoWhereTheLinesOfTheJobGo) {
  for (const std::string path :
       {"-", "/dev/stdout", "/dev/stderr", "/dev/fd/1", "/proc/self/fd/1"}) {
    for (const std::string flag : {"--json", "--html", "--record-baseline"}) {
      EXPECT_EQ(error_of({"check", flag + "=" + path}),
                flag + "=" + path +
                    ": muster's own lines go there; expected the name of a file, as in " + flag +
                    "=result");
    }
  }
  EXPECT_EQ(parsed({"check", "--json=/dev/null"}).json, "/dev/null");
}

TEST(CommandLine, NodeMemoryComesFromTheFlagOrTheVariable) {
  const Environment site{{"MUSTER_NODE_MEMORY", "/fsx/site"}};
  EXPECT_EQ(parsed({"a"}).node_memory, "");
  EXPECT_EQ(parsed({"a"}, site).node_memory, "/fsx/site");
  EXPECT_EQ(parsed({"check"}, site).node_memory, "/fsx/site");
  EXPECT_EQ(parsed({"--node-memory=/fsx/own", "a"}, site).node_memory, "/fsx/own");
  EXPECT_NE(error_of({"--node-memory=", "a"}).find("the value is empty"), std::string::npos);
}

TEST(CommandLine, DrainsOnlyWhenToldAndWhereThereIsSlurm) {
  EXPECT_FALSE(parsed({"a"}).drain);
  EXPECT_TRUE(parsed({"--drain", "a"}).drain);
  EXPECT_TRUE(parsed({"check", "--drain"}).drain);
  EXPECT_NE(error_of({"--drain", "--standalone", "a"}).find("no Slurm"), std::string::npos);
  EXPECT_NE(error_of({"check", "--drain", "--standalone"}).find("no Slurm"), std::string::npos);
  EXPECT_NE(error_of({"check", "--drain", "--health-only"}).find("prolog"), std::string::npos);
}

// What the measurement cannot do is not taken for something near it.
TEST(CommandLine, SizesOfTheCheckGrowByOneFactor) {
  EXPECT_EQ(parsed({"--check-sizes=1M,4M,16M", "a"}).check.sizes.size(), 3u);
  for (const char* sizes : {"1M,3M,100M", "4M,1M", "1M,1M", "2M,3M", "1M,2M,4M,9M"}) {
    EXPECT_EQ(error_of({std::string("--check-sizes=") + sizes, "a"}),
              std::string("--check-sizes=") + sizes +
                  ": expected sizes that grow by one whole factor, such as 64K,1M,16M");
  }
  EXPECT_NE(error_of({"--check-sizes=1Q", "a"}).find("expected sizes such as 8M"),
            std::string::npos);
}

TEST(CommandLine, SaysWhatCheckOffLeavesUnmeasured) {
  const auto line = parse_command_line(
      Words{"--check=off", "--check-min-busbw=100", "--record-baseline=x", "a"}, {});
  ASSERT_TRUE(line);
  EXPECT_EQ(line->notes,
            (Words{"ignoring --check-min-busbw=100: with --check=off nothing is measured",
                   "ignoring --record-baseline=x: with --check=off nothing is measured"}));
}

TEST(CommandLine, RunMayBeWrittenOrNot) {
  EXPECT_EQ(parsed({"run", "--exec", "a.out", "run"}), parsed({"--exec", "a.out", "run"}));
}

TEST(CommandLine, AValueFollowsAfterEqualsOrABlank) {
  for (const Words& words :
       {Words{"--nproc-per-node=8", "a"}, Words{"--nproc_per_node=8", "a"},
        Words{"--nproc-per-node", "8", "a"}, Words{"--nproc_per_node", "8", "a"}}) {
    const Options options = parsed(words);
    EXPECT_EQ(options.workers_per_node, (WorkersPerNode{WorkersPerNode::Wish::kNumber, 8}));
    EXPECT_EQ(options.program.words, Words{"a"});
  }
}

TEST(CommandLine, DefaultsAreThoseOfThePage) {
  const Options options = parsed({"a"});
  EXPECT_EQ(options.check.mode, CheckMode::kAuto);
  EXPECT_EQ(options.assemble_deadline, 600s);
  EXPECT_EQ(options.stop_grace, 15s);
  EXPECT_EQ(options.output.target, OutputTarget::kConsole);
  EXPECT_EQ(options.workers_per_node.wish, WorkersPerNode::Wish::kAbsent);
  EXPECT_FALSE(options.master_port);
  EXPECT_EQ(store_mode_of(options), StoreMode::kAgent);
  EXPECT_EQ(options.admission, AdmissionMode::kUid);
}

TEST(CommandLine, EveryOwnOptionReachesItsField) {
  const Options options =
      parsed({"--check=fabric", "--check-min-busbw=12.5", "--check-sizes=1M,8M",
              "--check-deadline=30", "--store=rank0", "--store-admission=node", "--dry-run",
              "--stop-grace=2", "--assemble-deadline=1m", "--stdin=3", "--output=both",
              "--log-dir=/logs", "--prefix=[${rank}] ", "--interface=eth1", "--master-port=29500",
              "--standalone", "--prewarm=python3 -c 'import torch'", "a"});
  EXPECT_EQ(options.check.mode, CheckMode::kFabric);
  EXPECT_EQ(options.check.min_busbw_gbps, 12.5);
  EXPECT_EQ(options.check.sizes, (std::vector<std::uint64_t>{1 << 20, 8 << 20}));
  EXPECT_EQ(options.check.deadline, 30s);
  EXPECT_EQ(store_mode_of(options), StoreMode::kRank0);
  EXPECT_EQ(options.admission, AdmissionMode::kNode);
  EXPECT_TRUE(options.dry_run);
  EXPECT_EQ(options.stop_grace, 2s);
  EXPECT_EQ(options.assemble_deadline, 60s);
  EXPECT_EQ(options.stdin_rank, Rank{3});
  EXPECT_EQ(options.output, (OutputOptions{OutputTarget::kBoth, "/logs", "[${rank}] "}));
  EXPECT_EQ(options.interface, "eth1");
  EXPECT_EQ(options.master_port, 29500);
  EXPECT_TRUE(options.standalone);
  EXPECT_EQ(options.prewarm, "python3 -c 'import torch'");
}

TEST(CommandLine, PrefixNoneIsAnEmptyPrefix) {
  EXPECT_EQ(parsed({"--prefix=none", "a"}).output.prefix, "");
  EXPECT_EQ(parsed({"a"}).output.prefix, std::nullopt);
}

TEST(CommandLine, HelpAndVersionNeedNoProgram) {
  EXPECT_EQ(parsed({"help"}).command, Command::kHelp);
  EXPECT_EQ(parsed({"--check=off", "-h"}).command, Command::kHelp);
  EXPECT_EQ(parsed({"version"}).command, Command::kVersion);
  EXPECT_EQ(parsed({"--version"}).command, Command::kVersion);
  EXPECT_EQ(parsed({"a.out", "--help"}).command, Command::kRun);
}

TEST(CommandLine, HostnamesTakesOneExpression) {
  EXPECT_EQ(parsed({"hostnames", "node[1-4]"}).hosts, "node[1-4]");
  EXPECT_EQ(parsed({"hostnames", "--", "node1"}).command, Command::kHostnames);
  EXPECT_EQ(error_of({"hostnames"}),
            "hostnames: 0 expressions given, expected one; write: muster hostnames 'node[1-4]'");
  EXPECT_EQ(error_of({"hostnames", "a", "b"}).substr(0, 30), "hostnames: 2 expressions given");
}

TEST(CommandLine, ErrorsSayWhatWasGivenAndWhatToWrite) {
  EXPECT_EQ(error_of({}),
            "no program given; write: muster [options] program args... (muster --help)");
  EXPECT_EQ(error_of({"--nprocs_per_node=8", "a"}),
            "unknown option --nprocs_per_node; did you mean --nproc-per-node? (options of the "
            "program go after its name)");
  EXPECT_EQ(error_of({"-nproc_per_node=8", "a"}).substr(0, 61),
            "unknown option -nproc_per_node=8; did you mean --nproc-per-no");
  EXPECT_EQ(error_of({"--zzzzzzzz", "a"}),
            "unknown option --zzzzzzzz; see muster --help (options of the program go after its "
            "name)");
  EXPECT_EQ(error_of({"--stop-grace=soon", "a"}),
            "--stop-grace=soon: expected seconds, such as 15, 0.5 or 2m, at most 30 days");
  EXPECT_EQ(error_of({"--check", "maybe", "a"}),
            "--check=maybe: expected auto, nccl, fabric or off");
  EXPECT_EQ(error_of({"--exec=1", "a"}), "--exec=1: this option takes no value");
  EXPECT_EQ(error_of({"--store=etcd", "a"}), "--store=etcd: expected agent or rank0");
  EXPECT_EQ(error_of({"--store-admission=root", "a"}),
            "--store-admission=root: expected uid, node or open");
  EXPECT_EQ(error_of({"--master-port=0", "a"}),
            "--master-port=0: expected a whole number from 1 to 65535");
}

TEST(CommandLine, NoAgentStaysToServeAStoreUnderExec) {
  EXPECT_EQ(store_mode_of(parsed({"--exec", "a"})), StoreMode::kRank0);
  EXPECT_EQ(error_of({"--exec", "--store=agent", "a"}),
            "--exec with --store=agent: the agent becomes the program and serves no store; leave "
            "one of the two out");
}

TEST(CommandLine, AnUnsetVariableIsSeen) {
  EXPECT_EQ(error_of({"--nnodes", "--node_rank=1", "a"}),
            "--nnodes: no value given, the next word is --node_rank=1; write --nnodes=N[:MAX] (is "
            "a variable unset?)");
  EXPECT_EQ(error_of({"--nnodes=", "a"}),
            "--nnodes=: the value is empty; write N[:MAX] or leave the option out (is a variable "
            "unset?)");
  EXPECT_EQ(error_of({"--nnodes"}), "--nnodes: no value given; write --nnodes=N[:MAX]");
  EXPECT_EQ(error_of({""}), "the program's name is empty (is a variable unset?)");
}

TEST(CommandLine, ExecCarriesNoStreams) {
  EXPECT_TRUE(parsed({"--exec", "a"}).exec);
  EXPECT_EQ(error_of({"--exec", "--output=files", "a"}).substr(0, 27),
            "--exec with output to files");
  EXPECT_EQ(error_of({"--exec", "--stdin=0", "a"}).substr(0, 19), "--exec with --stdin");
}

TEST(CommandLine, ALogDirectoryWithoutFilesIsNoted) {
  const auto with_files = parse_command_line(Words{"--log-dir=x", "--output=files", "a"}, {});
  EXPECT_TRUE(with_files->notes.empty());
  const auto without = parse_command_line(Words{"--log-dir=x", "a"}, {});
  ASSERT_EQ(without->notes.size(), 1u);
  EXPECT_EQ(without->notes[0].substr(0, 10), "--log-dir:");
}

TEST(CommandLine, AnyWordsGiveAValueOrOneLine) {
  const Words vocabulary = {"--",     "-",       "--check",  "--check=off", "--nnodes",  "=",
                            "--=",    "-m",      "-r",       "-r3",         "-t=0:1,1:", "run",
                            "--tee=", "\xff\n",  "--nproc",  "hostnames",   "-=",        "--r=3",
                            "8",      "",        "train.py", "--stdin=-1",  "---",       "--help",
                            "--exec", "--exec=", "1:2",      "--rdzv_id=",  "-h1",       "-\n"};
  std::mt19937 random(20240611);
  for (int round = 0; round < 20000; ++round) {
    Words words(random() % 6);
    for (std::string& word : words) word = vocabulary[random() % vocabulary.size()];
    const Result<Parsed> result = parse_command_line(words, {});
    if (!result) {
      EXPECT_FALSE(result.error().message().empty());
    } else if (result->options.command == Command::kRun) {
      ASSERT_FALSE(result->options.program.words.empty());
      const auto& program = result->options.program.words;
      ASSERT_TRUE(std::equal(program.rbegin(), program.rend(), words.rbegin()));
    }
  }
}

}  // namespace
}  // namespace muster::options
