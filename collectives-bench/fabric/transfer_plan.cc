#include "collectives-bench/fabric/transfer_plan.h"

#include <algorithm>

#include "rendezvous/base/check.h"

namespace muster::bench::fabric {

namespace {

struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
};

class Planner {
 public:
  Planner(const Collective& collective, std::size_t rank, std::size_t ranks,
          std::size_t slice_elements)
      : collective_(collective), rank_(rank), ranks_(ranks), slice_elements_(slice_elements) {
    plan_.operation = collective.operation;
  }

  TransferPlan plan() {
    switch (collective_.operation) {
      case Operation::kAllReduce:
        plan_ring(rank_, ranks_ - 1, ranks_ - 1);
        if (ranks_ == 1) plan_.copy = {0, 0, collective_.count};
        break;
      case Operation::kReduceScatter:
        plan_ring(rank_ + ranks_ - 1, ranks_ - 1, 0);  // so that the last chunk is this rank's
        if (ranks_ == 1) plan_.copy = {0, 0, collective_.count};
        break;
      case Operation::kAllGather:
        plan_ring(rank_, 0, ranks_ - 1);
        plan_.copy = {0, rank_ * collective_.count, collective_.count};
        break;
      case Operation::kBroadcast:
        plan_chain((rank_ + ranks_ - collective_.root) % ranks_, false);
        if (rank_ == collective_.root) plan_.copy = {0, 0, collective_.count};
        break;
      case Operation::kReduce:
        plan_chain((rank_ + 2 * ranks_ - collective_.root - 1) % ranks_, true);
        if (ranks_ == 1) plan_.copy = {0, 0, collective_.count};
        break;
      case Operation::kAllToAll:
        plan_all_to_all();
        break;
      case Operation::kSendRecv:
        plan_send_receive();
        break;
      case Operation::kPingPong:
        plan_pingpong();
        break;
    }
    return std::move(plan_);
  }

 private:
  std::uint32_t left() const { return static_cast<std::uint32_t>((rank_ + ranks_ - 1) % ranks_); }
  std::uint32_t right() const { return static_cast<std::uint32_t>((rank_ + 1) % ranks_); }

  // Where a rank's chunk lies. Without overflow for any count: of an all_reduce the first
  // count % ranks chunks have one element more.
  Range chunk(std::size_t of) const {
    const std::size_t count = collective_.count;
    if (collective_.operation != Operation::kAllReduce) return {of * count, (of + 1) * count};
    const auto begin = [&](std::size_t number) {
      return number * (count / ranks_) + std::min(number, count % ranks_);
    };
    return {begin(of), begin(of + 1)};
  }

  template <class Take>
  void cut(Range range, std::uint32_t step, Take take) const {
    std::uint32_t index = 0;
    for (std::size_t offset = range.begin; offset < range.end;) {
      const std::size_t part = std::min(slice_elements_, range.end - offset);
      take(Slice{step, index++, offset, part});
      offset += part;
    }
  }

  // Sends chunk `first` in the first step, and in each later one what came in the step before.
  void plan_ring(std::size_t first, std::size_t adding_steps, std::size_t copying_steps) {
    std::size_t own_sends = 0;
    plan_.steps = static_cast<std::uint32_t>(adding_steps + copying_steps);
    for (std::uint32_t step = 0; step < plan_.steps; ++step) {
      const std::size_t sent = (first + 2 * ranks_ - step) % ranks_;
      Range source = chunk(sent);
      // An all_gather's input is the rank's own part alone.
      if (step == 0 && adding_steps == 0) source = {0, collective_.count};
      cut(source, step, [&](const Slice& slice) {
        Send send{slice, right(), std::nullopt, false};
        if (step > 0) send.after = plan_.sends.size() - own_sends;
        plan_.sends.push_back(send);
      });
      if (step == 0) own_sends = plan_.sends.size();
      cut(chunk((sent + ranks_ - 1) % ranks_), step, [&](const Slice& slice) {
        plan_.receives.push_back({slice, left(), step < adding_steps});
      });
    }
  }

  void plan_chain(std::size_t position, bool adds) {
    plan_.steps = 1;
    cut({0, collective_.count}, 0, [&](const Slice& slice) {
      const bool begins = position == 0;
      if (position + 1 < ranks_) {
        Send send{slice, right(), std::nullopt, false};
        if (!begins) send.after = plan_.receives.size();
        plan_.sends.push_back(send);
      }
      if (!begins) plan_.receives.push_back({slice, left(), adds});
    });
  }

  void plan_all_to_all() {
    plan_.copy = {rank_ * collective_.count, rank_ * collective_.count, collective_.count};
    plan_.steps = static_cast<std::uint32_t>(ranks_ - 1);
    for (std::uint32_t step = 0; step < plan_.steps; ++step) {
      const std::size_t to = (rank_ + step + 1) % ranks_;
      const std::size_t from = (rank_ + ranks_ - step - 1) % ranks_;
      cut(chunk(to), step, [&](const Slice& slice) {
        plan_.sends.push_back({slice, static_cast<std::uint32_t>(to), std::nullopt, false});
      });
      cut(chunk(from), step, [&](const Slice& slice) {
        plan_.receives.push_back({slice, static_cast<std::uint32_t>(from), false});
      });
    }
  }

  void plan_send_receive() {
    if (ranks_ == 1) {
      plan_.copy = {0, 0, collective_.count};
      return;
    }
    plan_.steps = 1;
    cut({0, collective_.count}, 0, [&](const Slice& slice) {
      plan_.sends.push_back({slice, right(), std::nullopt, false});
      plan_.receives.push_back({slice, left(), false});
    });
  }

  void plan_pingpong() {
    const auto partner = pingpong_partner(rank_, ranks_);
    if (ranks_ == 1) plan_.copy = {0, 0, collective_.count};
    if (ranks_ == 1 || !partner) return;
    const auto peer = static_cast<std::uint32_t>(*partner);
    const bool answers = rank_ > peer;
    plan_.steps = 2;
    cut({0, collective_.count}, answers ? 1 : 0, [&](const Slice& slice) {
      plan_.sends.push_back({slice, peer, std::nullopt, answers});
    });
    cut({0, collective_.count}, answers ? 0 : 1, [&](const Slice& slice) {
      plan_.receives.push_back({slice, peer, false});
    });
  }

  const Collective& collective_;
  std::size_t rank_;
  std::size_t ranks_;
  std::size_t slice_elements_;
  TransferPlan plan_;
};

}  // namespace

TransferPlan plan_transfers(const Collective& collective, std::size_t rank, std::size_t ranks,
                            std::size_t slice_elements) {
  MUSTER_CHECK(rank < ranks && collective.root < ranks && slice_elements > 0);
  return Planner(collective, rank, ranks, slice_elements).plan();
}

}  // namespace muster::bench::fabric
