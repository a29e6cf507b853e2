// Round: what the localiser asks to be measured at one time, as data. Pure.
//
// The groups of a round run side by side and share no GPU. A group is a communicator of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rendezvous/base/ids.h"
#include "rendezvous/base/time.h"

namespace muster::bench::localise {

enum class RoundKind { kIntra, kWorld, kPairs, kConfirm, kRails, kRepeat };

std::string_view to_string(RoundKind kind);  // "intra"; static

struct Member {
  NodeIndex node{};
  std::vector<LocalRank> local_ranks;

  bool operator==(const Member&) const = default;
};

struct Group {
  std::vector<Member> members;  // the order is that of the ranks

  bool operator==(const Group&) const = default;
};

struct Work {
  std::string operation = "all_reduce";  // as muster-bench takes it
  std::uint64_t bytes = 256ull << 20;
  std::uint32_t iterations = 20;
  std::uint32_t warmup = 2;  // and as many verified operations

  bool operator==(const Work&) const = default;
};

struct Round {
  RoundKind kind = RoundKind::kWorld;
  std::uint32_t number = 0;  // in this localiser's life, from 0
  Work work;
  std::vector<Group> groups;
  Duration deadline{};  // from the start of the round to its last outcome

  bool operator==(const Round&) const = default;
};

struct DeadlineRule {
  Duration start = std::chrono::seconds(30);  // processes, contexts, communicators
  double slack = 5;                           // this many times slower is still measured
  // Of a round whose speed nobody knows: of all nodes, and of pairs, of which several rounds must
  // find the time.
  Duration unknown = std::chrono::seconds(120);
  Duration unknown_pairs = std::chrono::seconds(120);
};

// `busbw` in GB/s is what a group of `ranks` should reach; empty or not positive: unknown.
Duration round_deadline(RoundKind kind, const Work& work, std::size_t ranks,
                        std::optional<double> busbw, const DeadlineRule& rule);

std::size_t rank_count(const Group& group);

}  // namespace muster::bench::localise
