// Measure: the sweep. Warms up, times and verifies all sizes on a backend that is open.
//
// As nccl-tests does: warm-up at every size and both placements up front; for each size one untimed
// operation, a barrier, then the timed ones back to back; verification apart from the timed runs.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "collectives-bench/backend.h"
#include "collectives-bench/exchange.h"
#include "collectives-bench/grouping.h"
#include "collectives-bench/report.h"
#include "rendezvous/base/result.h"
#include "rendezvous/base/time.h"

namespace muster::bench {

struct Sweep {
  Operation operation = Operation::kAllReduce;
  std::uint32_t root = 0;
  std::vector<std::uint64_t> sizes;  // in bytes, as asked for; rounded by the operation
  std::uint32_t iterations = 20;
  std::uint32_t warmup = 1;
  bool in_place = true;       // measure in place too, where the operation can
  std::uint32_t checks = 1;   // verified operations at each size and placement; 0: none
  std::vector<Group> groups;  // that measure at once, each by itself; of all ranks of the exchange
  std::vector<std::string> nics = {""};  // each size is measured by each; one "" leaves it alone
};

// A piece of a sweep: untimed, timed or verified operations of one size. A sweep is a list of them.
struct Step {
  Phase phase = Phase::kWarmup;  // kWarmup, kMeasure or kVerify
  std::uint64_t bytes = 0;
  std::size_t nic = 0;
  Placement placement = Placement::kOutOfPlace;
  std::uint32_t operations = 0;

  bool operator==(const Step&) const = default;
};

// In the order in which run_sweep takes them.
std::vector<Step> steps_of(const Sweep& sweep);

class SweepObserver {
 public:
  virtual ~SweepObserver() = default;
  virtual void on_phase(Phase phase) = 0;
  virtual void on_step(std::size_t place) = 0;  // of steps_of(), before it is begun
  // The world's row so far, its in-place side not yet measured; where the world is one group.
  virtual void on_half_row(const Row&) {}
  // `own` is this rank's row; `groups` has one a group: times of all its ranks, the statistics of
  // the slowest one and its number in the world, the wrong elements of all.
  virtual void on_row(const Row& own, std::span<const Row> groups) = 0;
};

// Collective over `world`; the backend is open among the ranks of the own group. An error is this
// rank's or, where it could be told, another's, which is named.
Status run_sweep(Backend& backend, Exchange& world, const Sweep& sweep, SweepObserver& observer,
                 TimePoint deadline);

}  // namespace muster::bench
