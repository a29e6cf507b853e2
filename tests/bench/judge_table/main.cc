// judge-table: prints, as markdown, what the verdict finds in seeded synthetic clusters.
//
//   judge-table --trials 200 --seed 1
//
// The number of trials is for up to 32 nodes; larger clusters have a quarter of it. With
// --sweep N,... it prints a line for each of these numbers of nodes and each exact slowness
// instead.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "tests/bench/judge_table/sweep.h"
#include "tests/collectives-bench/localise/trial.h"

namespace muster::bench::localise {
namespace {

struct Asked {
  std::uint32_t trials = 200;
  std::uint64_t seed = 1;
  std::vector<std::uint32_t> sweep;
};

constexpr std::uint64_t kSeedsOfASweep = 5;
constexpr std::uint64_t kStepOfASweep = 100000;  // more than the trials of one seed

struct Row {
  const char* name;
  std::vector<TrialSpec> specs;  // their scores are added
};

struct Reading {
  std::string title;
  Noise noise;
};

constexpr std::uint32_t kSizes[] = {3, 4, 8, 32, 128, 512};
constexpr std::uint32_t kFewNodes = 32;

TrialSpec spec_of(Scenario scenario, double least, double most, std::uint32_t faulty = 1) {
  TrialSpec spec;
  spec.scenario = scenario;
  spec.least_depth = least;
  spec.most_depth = most;
  spec.faulty = faulty;
  return spec;
}

std::vector<Row> rows() {
  TrialSpec missing = spec_of(Scenario::kSlowNodes, 0.1, 0.5);
  missing.missing = 0.05;
  TrialSpec rail = spec_of(Scenario::kRail, 0.1, 0.5);
  rail.local_ranks = 8;
  return {{"healthy", {spec_of(Scenario::kHealthy, 0, 0)}},
          {"1 node, 10 % slow", {spec_of(Scenario::kSlowNodes, 0.1, 0.1)}},
          {"1 node, 10 to 50 %", {spec_of(Scenario::kSlowNodes, 0.1, 0.5)}},
          {"2 nodes, 10 to 50 %", {spec_of(Scenario::kSlowNodes, 0.1, 0.5, 2)}},
          {"3 nodes, 10 to 50 %", {spec_of(Scenario::kSlowNodes, 0.1, 0.5, 3)}},
          {"1 node, and 5 % of the data missing", {missing}},
          {"1 GPU of 8, 10 to 50 %", {rail}},
          {"1 link of the ring, 10 to 50 %", {spec_of(Scenario::kLinkOnRing, 0.1, 0.5)}},
          {"1 link anywhere, 10 to 50 %", {spec_of(Scenario::kLinkAnywhere, 0.1, 0.5)}},
          {"1 node hangs", {spec_of(Scenario::kHungNode, 0, 0)}},
          {"all alike 10 to 50 % slow", {spec_of(Scenario::kAllSlow, 0.1, 0.5)}}};
}

Reading reading(double sigma, double tail_share, double tail_depth, std::uint32_t samples) {
  Reading one;
  one.noise = {sigma, tail_share, tail_depth, samples};
  one.title =
      fmt::format("sigma {:.0f} %, {:.0f} % of the samples {:.0f} % slow; a sample is {}",
                  sigma * 100, tail_share * 100, tail_depth * 100,
                  samples > 1 ? fmt::format("an iteration, a measurement the median of {}", samples)
                              : "a whole measurement");
  return one;
}

// The verdict needs two healthy nodes to compare with, and a majority of them.
bool can_tell(const TrialSpec& spec) {
  return spec.nodes >= 2 * spec.faulty + 1;
}

std::uint32_t trials_of(const Asked& asked, std::uint32_t nodes) {
  return nodes <= kFewNodes ? asked.trials : std::max(asked.trials / 4, 1u);
}

std::string share(std::uint64_t part, std::uint64_t whole) {
  if (whole == 0) return "-";
  return fmt::format("{:.3f}", static_cast<double>(part) / static_cast<double>(whole));
}

std::string cell(const Score& score, bool rails) {
  std::string text = share(score.found, score.named) + " / " + share(score.found, score.faults);
  if (rails)
    text += fmt::format(" (GPU {} / {})", share(score.rails_found, score.rails_named),
                        share(score.rails_found, score.faults));
  return text;
}

void print_reading(const Reading& reading, const Asked& asked) {
  std::printf("\n**%s**\n\n| what is wrong |", reading.title.c_str());
  for (const std::uint32_t nodes : kSizes) std::printf(" %u nodes |", nodes);
  std::printf("\n|---|");
  for (std::size_t i = 0; i < std::size(kSizes); ++i) std::printf("---|");
  std::printf("\n");
  std::vector<Score> sums(std::size(kSizes));
  std::vector<std::string> rounds(std::size(kSizes));
  for (const Row& row : rows()) {
    std::printf("| %s |", row.name);
    for (std::size_t i = 0; i < std::size(kSizes); ++i) {
      Score score;
      for (TrialSpec spec : row.specs) {
        spec.nodes = kSizes[i];
        spec.noise = reading.noise;
        if (can_tell(spec)) score += run_trials(spec, asked.seed, trials_of(asked, spec.nodes));
      }
      sums[i] += score;
      const bool rails = row.specs.front().scenario == Scenario::kRail;
      std::printf(" %s |", score.trials == 0 ? "" : cell(score, rails).c_str());
      std::fflush(stdout);
    }
    std::printf("\n");
  }
  std::printf("| *healthy nodes evicted, of all above* |");
  for (const Score& sum : sums) std::printf(" %.4f %% |", sum.false_evictions() * 100);
  std::printf("\n| *rounds, mean (most)* |");
  for (const Score& sum : sums) {
    std::printf(" %.1f (%u) |", static_cast<double>(sum.rounds) / static_cast<double>(sum.trials),
                static_cast<unsigned>(sum.most_rounds));
  }
  std::printf("\n");
}

void print_two_nodes(const Asked& asked) {
  TrialSpec spec = spec_of(Scenario::kSlowNodes, 0.1, 0.5);
  spec.nodes = 2;
  const Score score = run_trials(spec, asked.seed, asked.trials);
  std::printf(
      "\n**2 nodes**, 1 of them 10 to 50 %% slow, sigma 2 %%: recall %s, healthy nodes evicted "
      "%.4f "
      "%%; \"one of these two\" in %s of the runs, and the job stopped in %s.\n",
      share(score.found, score.faults).c_str(), score.false_evictions() * 100,
      share(score.ambiguous, score.faults).c_str(), share(score.stopped, score.trials).c_str());
}

void print_sweeps(const std::vector<Reading>& readings, const Asked& asked) {
  SweepAsked sweep;
  sweep.trials = asked.trials;
  sweep.nodes = asked.sweep;
  for (std::uint64_t i = 0; i < kSeedsOfASweep; ++i) {
    sweep.seeds.push_back(asked.seed + i * kStepOfASweep);
  }
  for (const Reading& one : readings) {
    std::printf("\n%s\n", one.title.c_str());
    print_sweep(one.noise, sweep);
  }
}

}  // namespace
}  // namespace muster::bench::localise

int main(int argc, char** argv) {
  using namespace muster::bench::localise;
  Asked asked;
  CLI::App app{"What the verdict finds in synthetic clusters: precision / recall, as markdown."};
  app.add_option("--trials", asked.trials, "clusters a cell")->check(CLI::Range(1, 100000));
  app.add_option("--seed", asked.seed, "of the first cluster");
  app.add_option("--sweep", asked.sweep, "numbers of nodes: a line for each exact slowness")
      ->delimiter(',')
      ->check(CLI::Range(3, 512));
  CLI11_PARSE(app, argc, argv);
  const std::vector<Reading> readings = {reading(0.02, 0.01, 0.2, 20), reading(0.04, 0.02, 0.4, 20),
                                         reading(0.02, 0.01, 0.2, 1), reading(0.04, 0.02, 0.4, 1)};
  if (!asked.sweep.empty()) {
    print_sweeps(readings, asked);
    return 0;
  }
  for (const Reading& one : readings) print_reading(one, asked);
  print_two_nodes(asked);
  return 0;
}
