// The map of node pairs, its legend, and the pairs worth a look in words. Pure.
#pragma once

#include <cstddef>
#include <string>

#include "launcher/report/document.h"

namespace muster::report {

inline constexpr std::size_t kMaxNamedPairs = 24;  // in the table; the rest is counted

// A section of the page, without a map of more nodes than can be drawn (pair_drawing.h), which it
// says; "" where the document has less than two nodes and no pair.
std::string print_heat_map(const Document& document);

}  // namespace muster::report
