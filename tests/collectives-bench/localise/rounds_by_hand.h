// Rounds and outcomes written by hand, for tests.
#pragma once

#include <utility>
#include <vector>

#include "collectives-bench/localise/outcome.h"
#include "collectives-bench/localise/pairing.h"
#include "collectives-bench/localise/round.h"

namespace muster::bench::localise {

inline Round pair_round(const Pairing& pairs, RoundKind kind = RoundKind::kPairs) {
  Round round;
  round.kind = kind;
  for (const auto& [a, b] : pairs) {
    round.groups.push_back({{{NodeIndex{a}, {LocalRank{0}}}, {NodeIndex{b}, {LocalRank{0}}}}});
  }
  return round;
}

inline GroupOutcome measured(double busbw, std::string algorithm = "") {
  GroupOutcome outcome;
  outcome.kind = OutcomeKind::kMeasured;
  outcome.measured.p50_busbw = busbw;
  outcome.measured.algorithm = std::move(algorithm);
  return outcome;
}

inline GroupOutcome trouble(OutcomeKind kind, std::string text = "",
                            std::vector<NodeIndex> silent = {}) {
  GroupOutcome outcome;
  outcome.kind = kind;
  outcome.text = std::move(text);
  outcome.silent = std::move(silent);
  return outcome;
}

}  // namespace muster::bench::localise
