#include "collectives-bench/measure.h"

#include "collectives-bench/agreement.h"
#include "collectives-bench/busbw.h"
#include "collectives-bench/sizes.h"
#include "rendezvous/base/bytes.h"

namespace muster::bench {

namespace {

struct Shared {  // what every rank adds to a row
  std::uint64_t nanoseconds = 0;
  std::uint64_t wrong = 0;
};

struct Side {
  Measured own;
  Measured world;
};

class Sweeper {
 public:
  Sweeper(Backend& backend, Exchange& exchange, const Sweep& sweep, SweepObserver& observer,
          TimePoint deadline)
      : backend_(backend),
        exchange_(exchange),
        sweep_(sweep),
        observer_(observer),
        deadline_(deadline) {}

  Status warm_up() {
    observer_.on_phase(Phase::kWarmup);
    if (sweep_.warmup == 0) return {};
    for (const std::uint64_t bytes : sweep_.sizes) {
      for (const Placement placement : {Placement::kOutOfPlace, Placement::kInPlace}) {
        MUSTER_RETURN_IF_ERROR(time_operations(bytes, placement, sweep_.warmup));
      }
    }
    return {};
  }

  Status measure_size(std::uint64_t bytes) {
    MUSTER_TRY(out_of_place, measure_side(bytes, Placement::kOutOfPlace));
    MUSTER_TRY(in_place, measure_side(bytes, Placement::kInPlace));
    Row own{bytes, bytes / kElementBytes, out_of_place.own, in_place.own};
    Row world{bytes, bytes / kElementBytes, out_of_place.world, in_place.world};
    observer_.on_row(own, world);
    return {};
  }

 private:
  Result<std::chrono::nanoseconds> time_operations(std::uint64_t bytes, Placement placement,
                                                   std::uint32_t iterations) {
    return backend_.all_reduce(bytes / kElementBytes, placement, iterations, deadline_);
  }

  Result<Side> measure_side(std::uint64_t bytes, Placement placement) {
    observer_.on_phase(Phase::kMeasure);
    MUSTER_RETURN_IF_ERROR(time_operations(bytes, placement, 1));
    MUSTER_TRY(elapsed, time_operations(bytes, placement, sweep_.iterations));
    observer_.on_phase(Phase::kVerify);
    Shared own{.nanoseconds = static_cast<std::uint64_t>(elapsed.count()), .wrong = 0};
    for (std::uint32_t check = 0; check < sweep_.checks; ++check) {
      MUSTER_TRY(wrong, backend_.verify(bytes / kElementBytes, placement, round_++, deadline_));
      own.wrong += wrong;
    }
    return combine(bytes, own);
  }

  Result<Side> combine(std::uint64_t bytes, const Shared& own) {
    ByteWriter writer;
    writer.u64(own.nanoseconds).u64(own.wrong);
    MUSTER_TRY(shares, exchange_.all_gather(writer.take(), time_left(deadline_)));
    Shared sum;
    for (const std::string& share : shares) {
      ByteReader reader(share);
      sum.nanoseconds += reader.u64();
      sum.wrong += reader.u64();
      MUSTER_RETURN_IF_ERROR(reader.finish("time of a rank"));
    }
    const double iterations = static_cast<double>(sweep_.iterations);
    const double ranks = static_cast<double>(shares.size());
    Measured measured;
    measured.time_us = static_cast<double>(own.nanoseconds) / 1e3 / iterations;
    measured.mean_us = static_cast<double>(sum.nanoseconds) / 1e3 / iterations / ranks;
    measured.algbw = algorithm_bandwidth(bytes, measured.mean_us);
    measured.busbw = all_reduce_bus_bandwidth(measured.algbw, shares.size());
    Side side{measured, measured};
    if (sweep_.checks != 0) {
      side.own.wrong = own.wrong;
      side.world.wrong = sum.wrong;
    }
    return side;
  }

  Backend& backend_;
  Exchange& exchange_;
  const Sweep& sweep_;
  SweepObserver& observer_;
  TimePoint deadline_;
  std::uint32_t round_ = 1;
};

}  // namespace

Status run_sweep(Backend& backend, Exchange& exchange, const Sweep& sweep, SweepObserver& observer,
                 TimePoint deadline) {
  Sweeper sweeper(backend, exchange, sweep, observer, deadline);
  MUSTER_RETURN_IF_ERROR(sweeper.warm_up());
  for (const std::uint64_t bytes : sweep.sizes) {
    MUSTER_RETURN_IF_ERROR(sweeper.measure_size(bytes));
  }
  return {};
}

}  // namespace muster::bench
