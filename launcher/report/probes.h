// What was found on the nodes: findings with their reasons, nodes x probes, passes folded. Pure.
#pragma once

#include <cstddef>
#include <string>

#include "launcher/report/document.h"

namespace muster::report {

inline constexpr std::size_t kMaxFindings = 100;  // with their reasons; the rest is counted
inline constexpr std::size_t kOpenRows = 24;      // of nodes x probes; the rest is folded

// A section of the page; "" where no node was looked at.
std::string print_probes(const Document& document);

}  // namespace muster::report
