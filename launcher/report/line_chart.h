// Bus bandwidth over message size: one small chart for each operation and number of nodes, each
// with its own scale, since inside a node and between nodes lie an order of magnitude apart. Pure.
#pragma once

#include <cstddef>
#include <string>

#include "launcher/report/document.h"

namespace muster::report {

inline constexpr std::size_t kMaxCharts = 12;           // the rest is counted
inline constexpr std::size_t kMaxPointsOfAChart = 128;  // of more the largest sizes are drawn

// A section of the page; "" where nothing was measured.
std::string print_line_charts(const Document& document);

}  // namespace muster::report
