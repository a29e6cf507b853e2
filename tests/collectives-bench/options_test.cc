#include "collectives-bench/options.h"

#include <gtest/gtest.h>

#include "collectives-bench/gang.h"

namespace muster::bench {
namespace {

BenchOptions parsed(std::vector<std::string> arguments) {
  const auto command = parse_options(arguments);
  EXPECT_TRUE(command) << command.error().message();
  return command ? command->options : BenchOptions{};
}

std::string error_of(std::vector<std::string> arguments) {
  const auto command = parse_options(arguments);
  return command ? "accepted" : command.error().message();
}

TEST(Options, TakesNcclTestsLetters) {
  const BenchOptions options =
      parsed({"all_reduce", "-b", "8", "-e", "8G", "-f", "2", "-g", "1", "-n", "100", "-w", "5",
              "-c", "0", "-d", "float", "-o", "sum"});
  EXPECT_EQ(options.sizes.min_bytes, 8u);
  EXPECT_EQ(options.sizes.max_bytes, 8ull << 30);
  EXPECT_EQ(options.sizes.factor, 2u);
  EXPECT_EQ(options.iterations, 100u);
  EXPECT_EQ(options.warmup, 5u);
  EXPECT_EQ(options.checks, 0u);
  EXPECT_EQ(options.gpus, 1u);
  EXPECT_EQ(parsed({"all_reduce", "-g", "8"}).gpus, 8u);
}

TEST(Options, HaveNcclTestsDefaults) {
  const BenchOptions options = parsed({"all_reduce"});
  EXPECT_EQ(options.sizes.min_bytes, 32u << 20);
  EXPECT_EQ(options.sizes.max_bytes, 32u << 20);
  EXPECT_EQ(options.iterations, 20u);
  EXPECT_EQ(options.warmup, 1u);
  EXPECT_EQ(options.checks, 1u);
  EXPECT_EQ(options.backend, "auto");
  EXPECT_FALSE(options.report_fd);
}

TEST(Options, WithAStepAndNoEndTheSizesGoTo32M) {
  EXPECT_EQ(parsed({"all_reduce", "-b", "8", "-f", "2"}).sizes.max_bytes, 32u << 20);
  EXPECT_EQ(parsed({"all_reduce", "-b", "8M", "-i", "8M"}).sizes.max_bytes, 32u << 20);
  EXPECT_EQ(parsed({"all_reduce", "-b", "64M", "-f", "2"}).sizes.max_bytes, 64u << 20);
  EXPECT_EQ(parsed({"all_reduce", "-b", "8"}).sizes.max_bytes, 8u);
  const SizeRange by_steps = parsed({"all_reduce", "-b", "1M", "-e", "3M", "-f", "1"}).sizes;
  EXPECT_EQ(by_steps.factor, 0u);
  EXPECT_EQ(by_steps.step_bytes, 1u << 20);
}

// All of nccl-tests 2.19.6, with values that ask for nothing unusual.
TEST(Options, KnowNcclTestsLongNames) {
  const std::vector<std::vector<std::string>> given = {
      {"--nthreads", "1"},       {"--ngpus", "1"},
      {"--minbytes", "8"},       {"--maxbytes", "64"},
      {"--stepbytes", "8"},      {"--stepfactor", "2"},
      {"--iters", "5"},          {"--agg_iters", "1"},
      {"--warmup_iters", "1"},   {"--run_cycles", "1"},
      {"--parallel_init", "0"},  {"--check", "1"},
      {"--op", "sum"},           {"--datatype", "float"},
      {"--root", "0"},           {"--blocking", "0"},
      {"--stream_null", "0"},    {"--timeout", "0"},
      {"--cudagraph", "0"},      {"--report_cputime", "0"},
      {"--average", "1"},        {"--report_timestamps", "0"},
      {"--cta_policy", "0"},     {"--local_register", "0"},
      {"--memory", "0"},         {"--device_implementation", "0"},
      {"--unalign", "0"},        {"--device_cta_count", "0"},
      {"--per_iter_skip", "0"},  {"--per_iter_timing", "1"},
      {"--output_file", "file"},
  };
  std::vector<std::string> all = {"all_reduce_perf"};
  for (const auto& option : given) all.insert(all.end(), option.begin(), option.end());
  EXPECT_EQ(error_of(all), "accepted");
  EXPECT_EQ(parsed(all).json_file, "file");
}

TEST(Options, UnderstandTheGangsCommandLine) {
  CheckSpec spec;
  spec.backend = BackendKind::kFabric;
  spec.sizes = {.min_bytes = 64, .max_bytes = 4096, .step_bytes = 64, .factor = 0};
  spec.interface = "eth1";
  const BenchOptions options = parsed(gang_arguments(spec));
  EXPECT_EQ(options.backend, "fabric");
  EXPECT_EQ(options.sizes, spec.sizes);
  EXPECT_EQ(options.iterations, spec.iterations);
  EXPECT_EQ(options.deadline, spec.deadline);
  EXPECT_EQ(options.report_fd, spec.report_fd);
  EXPECT_EQ(options.interface, "eth1");
}

TEST(Options, AGangMayMeasureOutOfPlaceOnly) {
  CheckSpec spec;
  EXPECT_TRUE(parsed(gang_arguments(spec)).in_place);
  spec.in_place = false;
  EXPECT_FALSE(parsed(gang_arguments(spec)).in_place);
}

TEST(Options, TheLastOfARepeatedOptionCounts) {
  EXPECT_EQ(parsed({"all_reduce", "-n", "5", "-n", "6"}).iterations, 6u);
}

TEST(Options, RefuseWithTheCure) {
  EXPECT_NE(error_of({"hypercube"}).find("all_gather"), std::string::npos);
  EXPECT_NE(error_of({"all_reduce", "-G", "1"}).find("-G 1: no CUDA graphs"), std::string::npos);
  EXPECT_NE(error_of({"all_reduce", "-z", "1"}).find("leave -z out"), std::string::npos);
  EXPECT_NE(error_of({"all_reduce", "-T", "60"}).find("--deadline"), std::string::npos);
  EXPECT_NE(error_of({"all_reduce", "--split", "gpu"}).find("rail"), std::string::npos);
  EXPECT_NE(error_of({"all_reduce", "--json", "-", "--csv", "-"}).find("stdout"),
            std::string::npos);
  EXPECT_NE(error_of({"all_reduce", "-g", "0"}), "accepted");
  EXPECT_NE(error_of({"all_reduce", "-g", "257"}), "accepted");
  EXPECT_NE(error_of({"all_reduce", "-t", "8"}).find("write -g 8"), std::string::npos);
  EXPECT_NE(error_of({"all_reduce", "-g", "2", "--report-fd", "3"}).find("-g 1"),
            std::string::npos);
  EXPECT_NE(error_of({"all_reduce", "-d", "half"}).find("float"), std::string::npos);
  EXPECT_NE(error_of({"all_reduce", "-o", "max"}).find("sum"), std::string::npos);
  EXPECT_NE(error_of({"all_reduce", "-b", "x"}).find("size 'x'"), std::string::npos);
  EXPECT_NE(error_of({"all_reduce", "-b", "64", "-e", "8"}).find("smaller than -b"),
            std::string::npos);
  EXPECT_NE(error_of({"all_reduce", "--nonsense"}).find("--help"), std::string::npos);
  EXPECT_NE(error_of({"all_reduce", "--deadline", "0"}), "accepted");
  EXPECT_NE(error_of({"all_reduce", "-n", "0"}), "accepted");
  EXPECT_NE(error_of({"all_reduce", "--backend", "mpi"}), "accepted");
  EXPECT_NE(error_of({}), "accepted");
}

TEST(Options, WhatOnlyTheFabricHasMakesItTheBackend) {
  const auto command = parse_options({"pingpong", "-b", "8"});
  ASSERT_TRUE(command) << command.error().message();
  EXPECT_EQ(command->options.backend, "fabric");
  EXPECT_EQ(command->notes, std::vector<std::string>{"backend fabric, for pingpong"});
  EXPECT_EQ(parsed({"all_reduce", "--nic", "each"}).backend, "fabric");
  const BenchOptions rma = parsed({"sendrecv", "--transport", "rma", "--backend", "fabric"});
  EXPECT_EQ(rma.transport, Transport::kRma);
  EXPECT_NE(fingerprint(rma).find(" --transport rma"), std::string::npos);
  EXPECT_NE(fingerprint(parsed({"sendrecv", "--nic", "all"})).find(" --nic all"),
            std::string::npos);
  EXPECT_EQ(fingerprint(parsed({"sendrecv", "--nic", "eth1"})).find("eth1"), std::string::npos)
      << "a device may have another name on another node";
}

TEST(Options, WhatTheFabricCannotDoIsRefused) {
  EXPECT_NE(error_of({"pingpong", "--backend", "nccl"}).find("--backend fabric"),
            std::string::npos);
  EXPECT_NE(error_of({"sendrecv", "--nic", "each", "--backend", "nccl"}).find("--nic each"),
            std::string::npos);
  EXPECT_NE(error_of({"all_reduce", "--transport", "rma"}).find("sendrecv and pingpong"),
            std::string::npos);
  EXPECT_NE(error_of({"sendrecv", "--transport", "carrier"}), "accepted");
  EXPECT_NE(error_of({"sendrecv", "--nic", "all", "--interface", "eth0"}).find("leave one out"),
            std::string::npos);
}

TEST(Options, TakeTheOperationAsNcclTestsProgram) {
  EXPECT_EQ(parsed({"reduce_scatter_perf", "-b", "8"}).operation, Operation::kReduceScatter);
  EXPECT_EQ(parsed({"broadcast", "-r", "3"}).root, 3u);
}

TEST(Options, StdoutByItsNameIsStdout) {
  for (const char* name : {"/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"}) {
    EXPECT_EQ(parsed({"all_reduce", "--json", name}).json_file, "-");
    EXPECT_EQ(parsed({"all_reduce", "--csv", name}).csv_file, "-");
  }
  EXPECT_NE(
      error_of({"all_reduce", "--json", "/dev/stdout", "--csv", "-"}).find("stdout takes one"),
      std::string::npos);
}

TEST(Options, SayWhatTheyIgnore) {
  const auto command = parse_options({"all_reduce", "-p", "1", "-z", "0", "-G", "0", "-r", "2"});
  ASSERT_TRUE(command) << command.error().message();
  EXPECT_EQ(command->notes,
            (std::vector<std::string>{"-p 1: every process starts its one GPU by itself; ignored",
                                      "-r 2: all_reduce has no root; ignored"}));
}

TEST(Options, TheFingerprintTellsWhatMustBeAlikeAndNoMore) {
  const BenchOptions options = parsed({"all_gather", "-b", "8", "-e", "64", "-f", "2"});
  EXPECT_EQ(fingerprint(options),
            "all_gather -b 8 -e 64 -f 2 -n 20 -w 1 -c 1 -r 0 -I 1 --backend auto --split none");
  const BenchOptions with_file =
      parsed({"all_gather", "-b", "8", "-e", "64", "-f", "2", "--json", "x", "--interface", "e"});
  EXPECT_EQ(fingerprint(with_file), fingerprint(options));
}

TEST(Options, HelpIsTextAndNoError) {
  const auto command = parse_options({"--help"});
  ASSERT_TRUE(command);
  ASSERT_TRUE(command->text_to_print);
  EXPECT_NE(command->text_to_print->find("--stepfactor"), std::string::npos);
}

TEST(Options, VersionIsOneLineAndNeedsNoOperation) {
  const auto command = parse_options({"--version"});
  ASSERT_TRUE(command) << command.error().message();
  ASSERT_TRUE(command->text_to_print);
  const std::string& text = *command->text_to_print;
  EXPECT_TRUE(text.starts_with("muster-bench ")) << text;
  EXPECT_EQ(text.find('\n'), text.size() - 1) << text;
  EXPECT_NE(text.find_first_of("0123456789"), std::string::npos) << text;
}

}  // namespace
}  // namespace muster::bench
