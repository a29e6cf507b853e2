// The drawing of the map of node pairs, inline SVG in a box that scrolls. Pure.
#pragma once

#include <cstddef>
#include <string>

#include "launcher/report/document.h"
#include "launcher/report/pair_grid.h"

namespace muster::report {

inline constexpr std::size_t kMaxMapNodes = 512;  // that can be drawn
inline constexpr std::size_t kMaxTextNodes = 64;  // of more the cells have no text
inline constexpr std::size_t kMaxRateNodes = 16;  // of more the text is percent instead of GB/s

// `grid` has at most kMaxMapNodes hosts. The unfit nodes of the document are marked.
std::string draw_pairs(const Document& document, const PairGrid& grid);

}  // namespace muster::report
