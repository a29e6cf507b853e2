// Measure: the sweep. Warms up, times and verifies all sizes on a backend that is open.
//
// As nccl-tests does: warm-up at every size and both placements up front; for each size one untimed
// operation, a barrier, then the timed ones back to back; verification apart from the timed runs.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "collectives-bench/backend.h"
#include "collectives-bench/exchange.h"
#include "collectives-bench/report.h"
#include "rendezvous/base/result.h"
#include "rendezvous/base/time.h"

namespace muster::bench {

struct Sweep {
  std::vector<std::uint64_t> sizes;
  std::uint32_t iterations = 20;
  std::uint32_t warmup = 1;
  std::uint32_t checks = 1;  // verified operations at each size and placement; 0: none
};

class SweepObserver {
 public:
  virtual ~SweepObserver() = default;
  virtual void on_phase(Phase phase) = 0;
  // `own` is this rank's row; `world` has the wrong elements of all ranks.
  virtual void on_row(const Row& own, const Row& world) = 0;
};

// Collective. An error is this rank's or, where it could be told, another's, which is named.
Status run_sweep(Backend& backend, Exchange& exchange, const Sweep& sweep, SweepObserver& observer,
                 TimePoint deadline);

}  // namespace muster::bench
