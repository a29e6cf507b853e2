// Findings: all that the rounds have brought so far. Pure. The localiser fills it, draw_verdict
// reads it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "collectives-bench/localise/confirm.h"
#include "collectives-bench/localise/intra.h"
#include "collectives-bench/localise/pair_record.h"
#include "collectives-bench/localise/rails.h"
#include "collectives-bench/localise/settings.h"
#include "collectives-bench/localise/verdict.h"

namespace muster::bench::localise {

struct Findings {
  Cluster cluster;
  Settings settings;
  std::vector<std::uint32_t> active;  // nodes that take part in rounds of several nodes
  IntraRecord intra;
  std::vector<GroupOutcome> worlds;  // first and repeated
  Group world;                       // who was in them
  PairRecord pairs;
  NodeFit fit;  // of stage one
  std::optional<Confirmation> confirmation;
  RailRecord rails;
  std::uint32_t rounds = 0;

  const std::string& host(std::uint32_t node) const { return cluster.hosts[node]; }
};

// GB/s, median of what was measured over all nodes; empty when nothing was.
std::optional<double> world_busbw(const Findings& findings);

// The world was not measured, or was measured below something that it should reach.
bool world_is_poor(const Findings& findings);

// It reached its floors by less than its own noise: another measurement may not.
bool world_is_close(const Findings& findings);

// Nodes that stage two, or their own rounds, showed to be unfit. Without rails and evidence.
std::vector<UnfitNode> unfit_nodes(const Findings& findings);

Verdict draw_verdict(const Findings& findings);

}  // namespace muster::bench::localise
