// PairGrid: what is known of each pair of nodes, its rounds taken together. Pure.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "launcher/report/document.h"

namespace muster::report {

struct PairCell {
  std::size_t a = 0;  // places in PairGrid::hosts, a < b
  std::size_t b = 0;
  PairOutcome outcome = PairOutcome::kMeasured;  // the worst of its rounds
  std::size_t times = 0;                         // rounds that tried it
  std::size_t measured = 0;                      // rounds that gave a figure
  double median = 0;                             // GB/s of those; 0 without one
};

enum class PairKind { kNodes, kRails };

struct PairGrid {
  Texts hosts;                    // in the document's order; hosts that only pairs name come last
  std::vector<PairCell> cells;    // by a, then b; pairs that no round tried have none
  double reference = 0;           // median of the pairs of which nothing is accused; 0: none
  bool is_of_good_pairs = false;  // false: each measured pair is accused, so all of them count

  double ratio(const PairCell& cell) const { return reference > 0 ? cell.median / reference : 1; }
};

// A pair of a node with itself is ignored.
PairGrid make_pair_grid(const Document& document, PairKind kind);

// 0 of no values. The mean of the two in the middle of an even count.
double median_of(std::vector<double> values);

}  // namespace muster::report
