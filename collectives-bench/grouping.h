// Grouping: which ranks measure together. Without a split all of them; with one, several groups run
// the same sweep at once. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rendezvous/base/result.h"

namespace muster::bench {

enum class Split {
  kNone,
  kNode,  // the ranks of each node: the links inside
  kRail,  // the ranks of one local rank on all nodes: one GPU and its NICs on each
  kPair,  // the ranks of two nodes, 0 and 1, 2 and 3, ...; an odd last node by itself
};

std::string_view to_string(Split split);  // "node"; static
Result<Split> parse_split(std::string_view word);

struct Place {  // of a rank
  std::uint32_t node = 0;
  std::uint32_t local_rank = 0;  // among the ranks of its node
  std::string host;

  bool operator==(const Place&) const = default;
};

struct Group {
  std::string name;                  // "all", "node 1 (node1)", "rail 3", "nodes 0-1 (a, b)"
  std::vector<std::uint32_t> ranks;  // of the world, ascending

  bool operator==(const Group&) const = default;
};

// `places` by rank. Every rank is in one group; groups come in the order of node or rail.
std::vector<Group> split_world(Split split, std::span<const Place> places);

// The group that `rank` is in.
const Group& group_of(std::span<const Group> groups, std::uint32_t rank);

}  // namespace muster::bench
