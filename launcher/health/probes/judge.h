// The health probes of a node, as a pure function of two looks at it. Pure.
//
// Absolute facts are judged as the later look has them, since the check may have brought a fault to
// light; counters by what they grew between the looks, so one look alone skips those; processes and
// memory of an earlier job by the first look, since the check has processes of its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "collectives-bench/profile/profile.h"
#include "launcher/health/probes/health_facts.h"
#include "launcher/health/probes/probe_result.h"

namespace muster::health {

// What the machine should have; absent: nobody says, so nothing is missing.
struct Expectations {
  bench::ExpectedGpus gpus;
  bench::ExpectedNics nics;
  bench::ExpectedHost host{};
  bool needs_network = true;  // false: of one node alone nothing leaves it
  bool operator==(const Expectations&) const = default;
};

Expectations expectations_of(const bench::Profile& profile);

// One result for each probe, always all of them and in the same order. The same look twice is one
// look.
std::vector<ProbeResult> judge_health(const HealthFacts& before, const HealthFacts& after,
                                      const Expectations& expected);

}  // namespace muster::health
