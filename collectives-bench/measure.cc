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

bool measures_in_place(const Sweep& sweep) {
  return sweep.in_place && runs_in_place(sweep.operation);
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

  Status run() {
    observer_.on_phase(Phase::kWarmup);
    const std::vector<Step> steps = steps_of(sweep_);
    for (std::size_t place = 0; place < steps.size(); ++place) {
      observer_.on_step(place);
      backend_.use_nic(steps[place].nic);
      MUSTER_RETURN_IF_ERROR(take(steps[place]));
    }
    return {};
  }

 private:
  Status take(const Step& step) {
    if (step.phase == Phase::kWarmup) {
      MUSTER_RETURN_IF_ERROR(time_operations(step, step.operations));
      return {};
    }
    observer_.on_phase(step.phase);
    if (step.phase == Phase::kMeasure) {
      MUSTER_RETURN_IF_ERROR(measure(step));
      if (sweep_.checks != 0) return {};
      return finish_side(step);
    }
    for (std::uint32_t check = 0; check < step.operations; ++check) {
      MUSTER_TRY(wrong, backend_.verify(collective(step.bytes, *own_group_), step.placement,
                                        round_++, deadline_));
      share_.wrong += wrong;
    }
    return finish_side(step);
  }

  Status measure(const Step& step) {
    MUSTER_RETURN_IF_ERROR(time_operations(step, 1));
    MUSTER_TRY(timing, time_operations(step, sweep_.iterations));
    share_ = Share{.nanoseconds = static_cast<std::uint64_t>(timing.total.count()),
                   .wrong = 0,
                   .iterations = std::nullopt};
    if (timing.each_us.empty()) return {};
    for (double& each_us : timing.each_us) each_us /= trips_of(sweep_.operation);
    share_.iterations = summarize(timing.each_us);
    return {};
  }

  // Timed and verified: all ranks learn of it. The first side of a row waits for the second.
  Status finish_side(const Step& step) {
    MUSTER_TRY(side, combine(step.bytes, share_));
    const bool first = step.placement == Placement::kOutOfPlace;
    if (first) {
      own_row_ = blank_row(step, *own_group_);
      rows_.clear();
      for (const Group& group : sweep_.groups) rows_.push_back(blank_row(step, group));
    }
    (first ? own_row_.out_of_place : own_row_.in_place) = side.own;
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      (first ? rows_[i].out_of_place : rows_[i].in_place) = side.groups[i];
    }
    if (!first || !own_row_.has_in_place) {
      observer_.on_row(own_row_, rows_);
    } else if (rows_.size() == 1) {
      observer_.on_half_row(rows_.front());
    }
    return {};
  }

  Collective collective(std::uint64_t bytes, const Group& group) const {
    return {sweep_.operation, sweep_.root, count_for(sweep_.operation, bytes, group.ranks.size())};
  }

  Row blank_row(const Step& step, const Group& group) const {
    Row row = blank_row(step.bytes, group);
    row.nic = sweep_.nics[step.nic];
    return row;
  }

  Row blank_row(std::uint64_t bytes, const Group& group) const {
    const Collective asked = collective(bytes, group);
    Row row;
    row.bytes = shape_of(asked, group.ranks.size()).larger() * kElementBytes;
    row.count = asked.count;
    row.has_in_place = measures_in_place(sweep_);
    return row;
  }

  Result<Timing> time_operations(const Step& step, std::uint32_t iterations) {
    return backend_.measure(collective(step.bytes, *own_group_), step.placement, iterations,
                            deadline_);
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
    std::size_t busy = 0;
    for (std::size_t i = 0; i < group.ranks.size(); ++i) {
      const std::uint32_t rank = group.ranks[i];
      wrong += shares[rank].wrong;
      if (!takes_part(sweep_.operation, i, group.ranks.size())) continue;
      ++busy;
      sum += shares[rank].nanoseconds;
      if (shares[rank].nanoseconds > shares[slowest].nanoseconds) slowest = rank;
    }
    Measured measured;
    measured.time_us = microseconds(shares[slowest].nanoseconds);
    measured.mean_us = microseconds(sum) / static_cast<double>(busy);
    measured.algbw = algorithm_bandwidth(blank_row(bytes, group).bytes, measured.mean_us);
    measured.busbw = measured.algbw * bus_factor(sweep_.operation, group.ranks.size());
    measured.iterations = shares[slowest].iterations;
    measured.slowest_rank = slowest;
    if (sweep_.checks != 0) measured.wrong = wrong;
    return measured;
  }

  double microseconds(std::uint64_t nanoseconds) const {
    return static_cast<double>(nanoseconds) / 1e3 / static_cast<double>(sweep_.iterations) /
           trips_of(sweep_.operation);
  }

  Backend& backend_;
  Exchange& world_;
  const Sweep& sweep_;
  SweepObserver& observer_;
  TimePoint deadline_;
  const Group* own_group_ = nullptr;
  std::uint32_t round_ = 1;
  Share share_;  // of the side under way
  Row own_row_;  // of the size under way
  std::vector<Row> rows_;
};

}  // namespace

std::vector<Step> steps_of(const Sweep& sweep) {
  std::vector<Placement> placements = {Placement::kOutOfPlace};
  if (measures_in_place(sweep)) placements.push_back(Placement::kInPlace);
  std::vector<Step> warmup;
  std::vector<Step> steps;
  for (const std::uint64_t bytes : sweep.sizes) {
    for (std::size_t nic = 0; nic < sweep.nics.size(); ++nic) {
      for (const Placement placement : placements) {
        warmup.push_back({Phase::kWarmup, bytes, nic, placement, sweep.warmup});
        steps.push_back({Phase::kMeasure, bytes, nic, placement, sweep.iterations + 1});
        if (sweep.checks == 0) continue;
        steps.push_back({Phase::kVerify, bytes, nic, placement, sweep.checks});
      }
    }
  }
  if (sweep.warmup != 0) steps.insert(steps.begin(), warmup.begin(), warmup.end());
  return steps;
}

Status run_sweep(Backend& backend, Exchange& world, const Sweep& sweep, SweepObserver& observer,
                 TimePoint deadline) {
  return Sweeper(backend, world, sweep, observer, deadline).run();
}

}  // namespace muster::bench
