#include "collectives-bench/measure.h"

#include <bit>

#include "collectives-bench/agreement.h"
#include "collectives-bench/busbw.h"
#include "collectives-bench/sizes.h"
#include "rendezvous/base/bytes.h"

namespace muster::bench {

namespace {

struct Share {  // what every rank adds to a row
  std::uint64_t nanoseconds = 0;
  std::uint64_t wrong = 0;
  std::optional<IterationStatistics> iterations;
};

std::string print_share(const Share& share) {
  const IterationStatistics statistics = share.iterations.value_or(IterationStatistics{});
  ByteWriter writer;
  writer.u64(share.nanoseconds).u64(share.wrong).u8(share.iterations ? 1 : 0);
  for (const double value : {statistics.p50_us, statistics.p99_us, statistics.cv}) {
    writer.u64(std::bit_cast<std::uint64_t>(value));
  }
  return writer.take();
}

Result<Share> parse_share(std::string_view bytes) {
  ByteReader reader(bytes);
  Share share;
  share.nanoseconds = reader.u64();
  share.wrong = reader.u64();
  const bool sampled = reader.u8() != 0;
  IterationStatistics statistics;
  for (double* value : {&statistics.p50_us, &statistics.p99_us, &statistics.cv}) {
    *value = std::bit_cast<double>(reader.u64());
  }
  if (sampled) share.iterations = statistics;
  MUSTER_RETURN_IF_ERROR(reader.finish("time of a rank"));
  return share;
}

struct Side {
  Measured own;
  std::vector<Measured> groups;
};

class Sweeper {
 public:
  Sweeper(Backend& backend, Exchange& world, const Sweep& sweep, SweepObserver& observer,
          TimePoint deadline)
      : backend_(backend), world_(world), sweep_(sweep), observer_(observer), deadline_(deadline) {
    own_group_ = &group_of(sweep.groups, static_cast<std::uint32_t>(world.rank()));
  }

  Status warm_up() {
    observer_.on_phase(Phase::kWarmup);
    if (sweep_.warmup == 0) return {};
    for (const std::uint64_t bytes : sweep_.sizes) {
      for (const Placement placement : {Placement::kOutOfPlace, Placement::kInPlace}) {
        if (!runs(placement)) continue;
        MUSTER_RETURN_IF_ERROR(time_operations(bytes, placement, sweep_.warmup));
      }
    }
    return {};
  }

  Status measure_size(std::uint64_t bytes) {
    MUSTER_TRY(out_of_place, measure_side(bytes, Placement::kOutOfPlace));
    std::optional<Side> in_place;
    if (runs(Placement::kInPlace)) {
      MUSTER_TRY(side, measure_side(bytes, Placement::kInPlace));
      in_place = std::move(side);
    }
    Row own = blank_row(bytes, *own_group_);
    own.out_of_place = out_of_place.own;
    if (in_place) own.in_place = in_place->own;
    std::vector<Row> rows;
    for (std::size_t i = 0; i < sweep_.groups.size(); ++i) {
      rows.push_back(blank_row(bytes, sweep_.groups[i]));
      rows[i].out_of_place = out_of_place.groups[i];
      if (in_place) rows[i].in_place = in_place->groups[i];
    }
    observer_.on_row(own, rows);
    return {};
  }

 private:
  bool runs(Placement placement) const {
    return placement == Placement::kOutOfPlace ||
           (sweep_.in_place && runs_in_place(sweep_.operation));
  }

  Collective collective(std::uint64_t bytes, const Group& group) const {
    return {sweep_.operation, sweep_.root, count_for(sweep_.operation, bytes, group.ranks.size())};
  }

  Row blank_row(std::uint64_t bytes, const Group& group) const {
    const Collective asked = collective(bytes, group);
    Row row;
    row.bytes = shape_of(asked, group.ranks.size()).larger() * kElementBytes;
    row.count = asked.count;
    row.has_in_place = runs(Placement::kInPlace);
    return row;
  }

  Result<Timing> time_operations(std::uint64_t bytes, Placement placement,
                                 std::uint32_t iterations) {
    return backend_.measure(collective(bytes, *own_group_), placement, iterations, deadline_);
  }

  Result<Side> measure_side(std::uint64_t bytes, Placement placement) {
    observer_.on_phase(Phase::kMeasure);
    MUSTER_RETURN_IF_ERROR(time_operations(bytes, placement, 1));
    MUSTER_TRY(timing, time_operations(bytes, placement, sweep_.iterations));
    observer_.on_phase(Phase::kVerify);
    Share own{.nanoseconds = static_cast<std::uint64_t>(timing.total.count()),
              .wrong = 0,
              .iterations = std::nullopt};
    if (!timing.each_us.empty()) own.iterations = summarize(timing.each_us);
    for (std::uint32_t check = 0; check < sweep_.checks; ++check) {
      MUSTER_TRY(wrong,
                 backend_.verify(collective(bytes, *own_group_), placement, round_++, deadline_));
      own.wrong += wrong;
    }
    return combine(bytes, own);
  }

  Result<Side> combine(std::uint64_t bytes, const Share& own) {
    MUSTER_TRY(gathered, world_.all_gather(print_share(own), time_left(deadline_)));
    std::vector<Share> shares;
    for (const std::string& bytes_of_rank : gathered) {
      MUSTER_TRY(share, parse_share(bytes_of_rank));
      shares.push_back(share);
    }
    Side side;
    for (const Group& group : sweep_.groups) {
      side.groups.push_back(combine_group(bytes, group, shares));
      if (&group == own_group_) side.own = side.groups.back();
    }
    side.own.time_us = microseconds(own.nanoseconds);
    side.own.iterations = own.iterations;
    side.own.slowest_rank.reset();
    if (sweep_.checks != 0) side.own.wrong = own.wrong;
    return side;
  }

  Measured combine_group(std::uint64_t bytes, const Group& group,
                         const std::vector<Share>& shares) const {
    std::uint64_t sum = 0;
    std::uint64_t wrong = 0;
    std::uint32_t slowest = group.ranks.front();
    for (const std::uint32_t rank : group.ranks) {
      sum += shares[rank].nanoseconds;
      wrong += shares[rank].wrong;
      if (shares[rank].nanoseconds > shares[slowest].nanoseconds) slowest = rank;
    }
    Measured measured;
    measured.time_us = microseconds(shares[slowest].nanoseconds);
    measured.mean_us = microseconds(sum) / static_cast<double>(group.ranks.size());
    measured.algbw = algorithm_bandwidth(blank_row(bytes, group).bytes, measured.mean_us);
    measured.busbw = measured.algbw * bus_factor(sweep_.operation, group.ranks.size());
    measured.iterations = shares[slowest].iterations;
    measured.slowest_rank = slowest;
    if (sweep_.checks != 0) measured.wrong = wrong;
    return measured;
  }

  double microseconds(std::uint64_t nanoseconds) const {
    return static_cast<double>(nanoseconds) / 1e3 / static_cast<double>(sweep_.iterations);
  }

  Backend& backend_;
  Exchange& world_;
  const Sweep& sweep_;
  SweepObserver& observer_;
  TimePoint deadline_;
  const Group* own_group_ = nullptr;
  std::uint32_t round_ = 1;
};

}  // namespace

Status run_sweep(Backend& backend, Exchange& world, const Sweep& sweep, SweepObserver& observer,
                 TimePoint deadline) {
  Sweeper sweeper(backend, world, sweep, observer, deadline);
  MUSTER_RETURN_IF_ERROR(sweeper.warm_up());
  for (std::size_t place = 0; place < sweep.sizes.size(); ++place) {
    observer.on_size(place, sweep.sizes[place]);
    MUSTER_RETURN_IF_ERROR(sweeper.measure_size(sweep.sizes[place]));
  }
  return {};
}

}  // namespace muster::bench
