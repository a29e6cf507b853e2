// What a check measures and what it expects: from the user's wishes and the machine's profile.
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "collectives-bench/gang.h"
#include "collectives-bench/localise/settings.h"
#include "collectives-bench/profile/profile.h"
#include "rendezvous/base/time.h"

namespace muster::launcher {

struct CheckWishes {
  bench::CheckSpec spec;            // with the backend; sizes as the user gave them, or the default
  std::optional<double> min_busbw;  // GB/s over all nodes
  Duration deadline{};              // of a round whose speed nobody knows
  bool compares_always = false;     // pairs even where the world is fine: for a baseline
  bool compares_unknown = false;    // pairs where nothing says what the world should reach
};

struct CheckExtent {
  std::uint32_t nodes = 1;
  std::uint32_t local_ranks = 1;
};

// Sizes that a backend is measured at where the user names none: NCCL from 32 MiB on, where the
// published tables begin, to 512 MiB; the fabric 1 to 16 MiB.
bench::SizeRange default_sizes(bench::BackendKind backend);

// The figures of the profile are NCCL's: of published ones the fabric expects nothing.
bench::localise::Settings check_settings(const CheckWishes& wishes, const bench::Profile& profile,
                                         const CheckExtent& extent);

// What muster-bench is asked for in one round. Where all nodes or single ones are measured all
// sizes are, else the largest alone.
bench::CheckSpec spec_of(const CheckWishes& wishes, const bench::localise::Round& round);

// The largest size of `spec`: what is judged.
std::uint64_t judged_bytes(const bench::CheckSpec& spec);

}  // namespace muster::launcher
