#include "tests/bench/judge_table/sweep.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <string>

namespace muster::bench::localise {

namespace {

constexpr double kDepths[] = {0.10, 0.12, 0.15, 0.20, 0.30, 0.50};
constexpr double kEnough = 0.95;
constexpr double kMostEvicted = 0.01;
constexpr std::uint32_t kFewNodes = 32;

struct Cell {
  std::string name;
  TrialSpec spec;
};

std::vector<Cell> cells_of(double depth) {
  std::vector<Cell> cells;
  const auto add = [&](const char* name, Scenario scenario) -> TrialSpec& {
    TrialSpec spec;
    spec.scenario = scenario;
    spec.least_depth = spec.most_depth = depth;
    cells.push_back({fmt::format("{} {:.0f} % slow", name, depth * 100), spec});
    return cells.back().spec;
  };
  add("1 node", Scenario::kSlowNodes);
  add("2 nodes", Scenario::kSlowNodes).faulty = 2;
  add("3 nodes", Scenario::kSlowNodes).faulty = 3;
  add("1 node, data missing,", Scenario::kSlowNodes).missing = 0.05;
  add("1 GPU of 8", Scenario::kRail).local_ranks = 8;
  add("1 link of the ring", Scenario::kLinkOnRing);
  return cells;
}

double ratio_or_one(std::uint64_t part, std::uint64_t whole) {
  return whole == 0 ? 1 : static_cast<double>(part) / static_cast<double>(whole);
}

void print_cell(const Cell& cell, const SweepAsked& asked) {
  Score score;
  const bool few = cell.spec.nodes <= kFewNodes;
  const std::uint32_t trials = few ? asked.trials : std::max(asked.trials / 4, 1u);
  for (const std::uint64_t seed : asked.seeds) score += run_trials(cell.spec, seed, trials);
  std::string gpus;
  double least = std::min(score.precision(), score.recall());
  if (cell.spec.scenario == Scenario::kRail) {
    const double precision = ratio_or_one(score.rails_found, score.rails_named);
    const double recall = ratio_or_one(score.rails_found, score.faults);
    gpus = fmt::format(" (GPU {:.3f} / {:.3f})", precision, recall);
    least = std::min({least, precision, recall});
  }
  const bool weak = least < kEnough || score.false_evictions() >= kMostEvicted;
  std::printf("%s %3u nodes, %s: %.3f / %.3f%s, evicted %.3f %%, rounds %.1f (%u)\n",
              weak ? "weak" : "good", static_cast<unsigned>(cell.spec.nodes), cell.name.c_str(),
              score.precision(), score.recall(), gpus.c_str(), score.false_evictions() * 100,
              static_cast<double>(score.rounds) / static_cast<double>(score.trials),
              static_cast<unsigned>(score.most_rounds));
  std::fflush(stdout);
}

}  // namespace

void print_sweep(const Noise& noise, const SweepAsked& asked) {
  for (const std::uint32_t nodes : asked.nodes) {
    for (const double depth : kDepths) {
      for (Cell& cell : cells_of(depth)) {
        cell.spec.nodes = nodes;
        cell.spec.noise = noise;
        if (nodes >= 2 * cell.spec.faulty + 1) print_cell(cell, asked);
      }
    }
  }
}

}  // namespace muster::bench::localise
