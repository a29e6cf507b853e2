// World: who takes part in a measurement, as every rank told it. Checked before anything is
// measured. Pure.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collectives-bench/grouping.h"
#include "rendezvous/base/result.h"

namespace muster::bench {

struct Member {  // its place in the list is its rank
  Place place;
  std::uint32_t pid = 0;
  std::string command;  // the fingerprint of its options
  // Known when the backend is open.
  std::string device;
  std::string network;
  std::string library;

  bool operator==(const Member&) const = default;
};

std::string print_member(const Member& member);
Result<Member> parse_member(std::string_view bytes);

std::vector<Place> places_of(std::span<const Member> members);

// All ranks that were expected are there, and all were asked for the same. kInvalidArgument names
// the odd rank and both commands.
Status check_world(std::span<const Member> members, std::size_t expected);

// What is odd, though it can be measured: libraries that differ, ranks that share a device.
std::vector<std::string> oddities(std::span<const Member> members);

// "# world: 4 ranks on 2 nodes" and what each has: a line a rank up to 32 ranks, then a line a
// node.
std::string world_text(std::span<const Member> members);

}  // namespace muster::bench
