#include "launcher/report/pair_look.h"

#include <algorithm>

namespace muster::report {

Mark mark_of(PairOutcome outcome) {
  switch (outcome) {
    case PairOutcome::kHung:
      return {"qh", "×", "hung"};
    case PairOutcome::kWrongData:
      return {"qw", "≠", "wrong data"};
    case PairOutcome::kNotMeasured:
      return {"qn", "–", "not measured"};
    case PairOutcome::kMeasured:
      break;
  }
  return {"", "", "measured"};
}

std::string_view style_of(const PairGrid& grid, const PairCell& cell) {
  if (cell.outcome != PairOutcome::kMeasured) return mark_of(cell.outcome).style;
  const double ratio = grid.ratio(cell);
  const auto shade =
      std::ranges::find_if(kShades, [ratio](const Shade& s) { return ratio < s.below; });
  return shade == kShades.end() ? kShades.back().style : shade->style;
}

}  // namespace muster::report
