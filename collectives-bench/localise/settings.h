// Settings: what the caller knows and wants. Pure values. README.md says what each is for.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "collectives-bench/localise/decide.h"
#include "collectives-bench/localise/expectation.h"
#include "collectives-bench/localise/round.h"
#include "rendezvous/base/ids.h"

namespace muster::bench::localise {

inline constexpr std::uint32_t kMostNodes = 65536;
inline constexpr std::uint32_t kMostLocalRanks = 1024;

struct Cluster {
  std::vector<std::string> hosts;  // the place is the NodeIndex
  std::uint32_t local_ranks = 1;   // GPUs of a node, or processes
  std::vector<NodeIndex> seen_bad_before;
};

struct Rules {
  double screen = 0.96;       // a node below this share of the others is suspect
  double link_screen = 0.95;  // a link, of what its ends reach
  double prior_seen_bad = 0.2;
  double slow = 0.9;          // what must not go unseen; healthy is 1
  double sure = 0.998;        // confidence that ends the search
  double enough = 0.9;        // that suffices when the rounds are used up
  double cleared = 0.002;     // below: not slow
  bool pairs_unknown = true;  // run pairs when nothing says what the world should reach
  bool pairs_always = false;  // also when the world is fine: for a baseline
  std::uint32_t pair_rounds = 6;
  std::uint32_t quiet_pair_rounds = 3;
  std::uint32_t noisy_pair_rounds = 18;  // of few nodes
  double quiet = 0.015;                  // noise up to which these are enough
  std::uint32_t confirm_samples = 3;
  std::uint32_t confirm_rounds = 12;
  std::uint32_t noisy_confirm_rounds = 48;
  double usual = 0.02;  // noise up to which confirm_rounds and rail_rounds are enough
  std::uint32_t intra_repeats = 6;
  std::uint32_t noisy_intra_repeats = 18;
  std::uint32_t rail_rounds = 3;
  std::uint32_t noisy_rail_rounds = 9;
  std::uint32_t world_repeats = 2;
  std::uint32_t looks = 2;      // where the noise is high and the world stays poor
  double world_margin = 0.035;  // a world closer to its floor by its cv, up to this, is repeated
};

struct Settings {
  Work intra;
  Work world;
  Work pairs;
  Work rails;
  Expectation intra_expected;
  Expectation world_expected;
  Expectation pairs_expected;
  DeadlineRule deadline;
  Rules rules;
};

}  // namespace muster::bench::localise
