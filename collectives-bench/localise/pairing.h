// Pairings: rounds of disjoint pairs over n nodes by the circle method. Pure. README.md has the
// why.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

namespace muster::bench::localise {

using Pair = std::pair<std::uint32_t, std::uint32_t>;  // first < second
using Pairing = std::vector<Pair>;                     // ascending; no node twice

// Rounds in which every two of `nodes` meet once: nodes-1, or nodes when odd. 0 below two.
std::uint32_t tournament_length(std::uint32_t nodes);

// The round of number `t` below tournament_length. An odd count leaves one node out.
Pairing circle_round(std::uint32_t nodes, std::uint32_t t);

// In how many of them the neighbours in the ring meet: 2, or 3 when odd.
std::uint32_t ring_length(std::uint32_t nodes);

// `count` rounds, neighbours in the ring 0..nodes-1 first, then others spread evenly; all of them
// once before any comes again.
std::vector<Pairing> first_pairings(std::uint32_t nodes, std::uint32_t count);

}  // namespace muster::bench::localise
