#include "collectives-bench/grouping.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "rendezvous/base/check.h"

namespace muster::bench {

namespace {

std::uint32_t key_of(Split split, const Place& place) {
  switch (split) {
    case Split::kNode:
      return place.node;
    case Split::kRail:
      return place.local_rank;
    case Split::kPair:
      return place.node / 2;
    case Split::kNone:
      break;
  }
  return 0;
}

std::string name_of(Split split, std::uint32_t key, const Group& group,
                    std::span<const Place> places) {
  const Place& first = places[group.ranks.front()];
  const Place& last = places[group.ranks.back()];
  switch (split) {
    case Split::kNode:
      return fmt::format("node {} ({})", first.node, first.host);
    case Split::kRail:
      return fmt::format("rail {}", key);
    case Split::kPair:
      if (first.node == last.node) return fmt::format("node {} ({})", first.node, first.host);
      return fmt::format("nodes {}-{} ({}, {})", first.node, last.node, first.host, last.host);
    case Split::kNone:
      break;
  }
  return "all";
}

}  // namespace

std::string_view to_string(Split split) {
  switch (split) {
    case Split::kNode:
      return "node";
    case Split::kRail:
      return "rail";
    case Split::kPair:
      return "pair";
    case Split::kNone:
      break;
  }
  return "none";
}

Result<Split> parse_split(std::string_view word) {
  for (const Split split : {Split::kNone, Split::kNode, Split::kRail, Split::kPair}) {
    if (to_string(split) == word) return split;
  }
  return failure(ErrorCode::kInvalidArgument,
                 fmt::format("--split {}: expected node, rail, pair or none", word.substr(0, 64)));
}

std::vector<Group> split_world(Split split, std::span<const Place> places) {
  std::map<std::uint32_t, Group> by_key;
  for (std::size_t rank = 0; rank < places.size(); ++rank) {
    by_key[key_of(split, places[rank])].ranks.push_back(static_cast<std::uint32_t>(rank));
  }
  std::vector<Group> groups;
  for (auto& [key, group] : by_key) {
    group.name = name_of(split, key, group, places);
    groups.push_back(std::move(group));
  }
  return groups;
}

const Group& group_of(std::span<const Group> groups, std::uint32_t rank) {
  const auto found = std::find_if(groups.begin(), groups.end(), [rank](const Group& group) {
    return std::binary_search(group.ranks.begin(), group.ranks.end(), rank);
  });
  MUSTER_CHECK(found != groups.end());
  return *found;
}

}  // namespace muster::bench
