// How a pair of nodes looks on the map and in its legend: a shade for its share of the reference, a
// sign of its own for what is no figure. Pure.
#pragma once

#include <array>
#include <string_view>

#include "launcher/report/pair_grid.h"

namespace muster::report {

struct Shade {
  std::string_view style;  // class of the style sheet
  double below;            // share of the reference at which the next one begins
  std::string_view meaning;
};

inline constexpr std::array<Shade, 6> kShades = {{{"q0", 0.50, "below 50 %"},
                                                  {"q1", 0.70, "50–70 %"},
                                                  {"q2", 0.85, "70–85 %"},
                                                  {"q3", 0.95, "85–95 %"},
                                                  {"q4", 1.05, "95–105 %"},
                                                  {"q5", 0, "above 105 %"}}};

struct Mark {
  std::string_view style;
  std::string_view sign;
  std::string_view meaning;
};

// Of kMeasured the words alone.
Mark mark_of(PairOutcome outcome);

// Class of the style sheet.
std::string_view style_of(const PairGrid& grid, const PairCell& cell);

}  // namespace muster::report
