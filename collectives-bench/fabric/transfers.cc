#include "collectives-bench/fabric/transfers.h"

#include <fmt/format.h>
#include <sched.h>

#include <algorithm>
#include <utility>

#include "rendezvous/base/check.h"

namespace muster::bench::fabric {

namespace {

constexpr Duration kRetry = std::chrono::milliseconds(1);
constexpr int kIndexBits = 20;
constexpr std::uint32_t kEpochMask = (1u << 12) - 1;

// A receiver gets one slice of one step from one rank, so the tag needs no sender.
std::uint64_t tag_of(std::uint32_t epoch, const Slice& slice) {
  return static_cast<std::uint64_t>(epoch) << 40 | static_cast<std::uint64_t>(slice.step) << 20 |
         slice.index;
}

std::span<const std::byte> bytes_of(std::span<const float> data, const Slice& slice) {
  return std::as_bytes(data.subspan(slice.offset, slice.count));
}

void copy_locally(const LocalCopy& copy, const TransferBuffers& buffers) {
  if (copy.count == 0) return;
  const float* from = buffers.input.data() + copy.from;
  float* to = buffers.output.data() + copy.to;
  if (from != to) std::copy_n(from, copy.count, to);
}

}  // namespace

std::uint32_t arrival_number(std::uint32_t epoch, std::uint32_t index) {
  return (epoch & kEpochMask) << kIndexBits | index;
}

struct Transfers::Run {
  const TransferPlan& plan;
  const TransferBuffers& buffers;
  std::uint32_t epoch;
  std::vector<bool> used;       // receives that are done and added or in place
  std::size_t used_prefix = 0;  // all before this one are used
  std::size_t used_count = 0;
  std::size_t posted_receives = 0;
  std::size_t posted_sends = 0;
  std::vector<bool> sent;
  std::size_t sent_prefix = 0;
  std::size_t sent_count = 0;
  bool refused = false;  // the provider could not take an operation: it connects, or is full

  bool complete() const {
    return used_count == plan.receives.size() && sent_count == plan.sends.size();
  }
};

Transfers::Transfers(std::vector<Lane*> lanes, std::vector<std::string> labels,
                     std::span<float> scratch, Transport transport)
    : lanes_(std::move(lanes)),
      labels_(std::move(labels)),
      scratch_(scratch),
      transport_(transport),
      receives_(window()),
      sends_(window()) {
  MUSTER_CHECK(!lanes_.empty() && scratch.size() >= window() * kSliceElements);
}

void Transfers::use_lanes(std::vector<Lane*> lanes) {
  MUSTER_CHECK(!lanes.empty() && lanes.size() * kWindow <= receives_.size());
  lanes_ = std::move(lanes);
}

Lane& Transfers::lane_of(const Slice& slice) const {
  return *lanes_[(slice.step + slice.index) % lanes_.size()];
}

Status Transfers::run(const TransferPlan& plan, const TransferBuffers& buffers, std::uint32_t epoch,
                      TimePoint deadline) {
  Run run{.plan = plan, .buffers = buffers, .epoch = epoch, .used = {}, .sent = {}};
  run.used.resize(plan.receives.size());
  run.sent.resize(plan.sends.size());
  const TimePoint began = Clock::now();
  take_early(run);
  MUSTER_RETURN_IF_ERROR(post_receives(run));
  MUSTER_RETURN_IF_ERROR(post_sends(run));
  copy_locally(plan.copy, buffers);  // while the first slices travel
  while (!run.complete()) {
    run.refused = false;
    MUSTER_RETURN_IF_ERROR(post_receives(run));
    MUSTER_RETURN_IF_ERROR(post_sends(run));
    const TimePoint retry = Clock::now() + kRetry;
    MUSTER_TRY(finished, wait(run.refused ? std::min(retry, deadline) : deadline));
    for (const Finished& one : finished) MUSTER_RETURN_IF_ERROR(take(run, one));
    if (Clock::now() >= deadline && !run.complete()) return failure(late(run, began));
  }
  return {};
}

// One lane may sleep in its provider; several are looked at in turns.
Result<std::vector<Finished>> Transfers::wait(TimePoint until) {
  if (lanes_.size() == 1) return lanes_.front()->endpoint().wait(until);
  while (true) {
    std::vector<Finished> all;
    for (Lane* lane : lanes_) {
      MUSTER_TRY(finished, lane->endpoint().wait(TimePoint()));
      all.insert(all.end(), finished.begin(), finished.end());
    }
    if (!all.empty() || Clock::now() >= until) return all;
    ::sched_yield();
  }
}

Status Transfers::post_receives(Run& run) {
  if (transport_ == Transport::kRma) return {};
  while (run.posted_receives < run.plan.receives.size() &&
         run.posted_receives < run.used_prefix + window()) {
    const std::size_t index = run.posted_receives;
    const Receive& receive = run.plan.receives[index];
    const Slice& slice = receive.slice;
    const std::span<float> target =
        receive.adds ? scratch_.subspan(index % window() * kSliceElements, slice.count)
                     : run.buffers.output.subspan(slice.offset, slice.count);
    InFlight& operation = receives_[index % window()];
    operation.index = index;
    operation.is_send = false;
    Lane& lane = lane_of(slice);
    const Region region = receive.adds ? Region::kScratch : run.buffers.output_region;
    MUSTER_TRY(taken, lane.endpoint().receive(operation, std::as_writable_bytes(target),
                                              lane.descriptor(region), lane.address(receive.peer),
                                              tag_of(run.epoch, slice)));
    if (!taken) {
      run.refused = true;
      return {};
    }
    ++run.posted_receives;
  }
  return {};
}

Status Transfers::post_sends(Run& run) {
  while (run.posted_sends < run.plan.sends.size() &&
         run.posted_sends < run.sent_prefix + window()) {
    const Send& send = run.plan.sends[run.posted_sends];
    if (send.after && !run.used[*send.after]) return {};
    if (send.after_all && run.used_count < run.plan.receives.size()) return {};
    MUSTER_TRY(taken, post_send(run, run.posted_sends));
    if (!taken) {
      run.refused = true;
      return {};
    }
    ++run.posted_sends;
  }
  return {};
}

Result<bool> Transfers::post_send(Run& run, std::size_t index) {
  const Send& send = run.plan.sends[index];
  const bool from_output = send.after.has_value();
  const auto bytes = from_output ? bytes_of(run.buffers.output, send.slice)
                                 : bytes_of(run.buffers.input, send.slice);
  InFlight& operation = sends_[index % window()];
  operation.index = index;
  operation.is_send = true;
  Lane& lane = lane_of(send.slice);
  void* descriptor = lane.descriptor(from_output ? run.buffers.output_region : Region::kInput);
  if (transport_ == Transport::kTagged) {
    return lane.endpoint().send(operation, bytes, descriptor, lane.address(send.peer),
                                tag_of(run.epoch, send.slice));
  }
  // A slice has one place in every rank's output.
  const std::size_t offset = (run.buffers.output_offset + send.slice.offset) * sizeof(float);
  return lane.endpoint().write(operation, bytes, descriptor, lane.address(send.peer),
                               lane.output_of(send.peer), offset,
                               arrival_number(run.epoch, send.slice.index));
}

Status Transfers::take(Run& run, const Finished& finished) {
  if (finished.arrived) {
    take_arrival(run, *finished.arrived);
    return {};
  }
  if (finished.operation == nullptr) {
    return failure(ErrorCode::kUnavailable,
                   fmt::format("{}: {}", to_string(run.plan.operation),
                               finished.error.value_or("a completion without an operation")));
  }
  const std::size_t index = finished.operation->index;
  const bool is_send = finished.operation->is_send;
  if (finished.error) {
    const std::uint32_t peer = is_send ? run.plan.sends[index].peer : run.plan.receives[index].peer;
    return failure(ErrorCode::kUnavailable,
                   fmt::format("{} {}: {}", is_send ? "send to" : "receive from", labels_[peer],
                               *finished.error));
  }
  if (is_send) {
    run.sent[index] = true;
    ++run.sent_count;
    while (run.sent_prefix < run.sent.size() && run.sent[run.sent_prefix]) ++run.sent_prefix;
    return {};
  }
  use_slice(run, index);
  return {};
}

// The receives of an operation over rma are those of one step: their place is the slice's index.
void Transfers::take_arrival(Run& run, std::uint64_t number) {
  const std::uint64_t first = arrival_number(run.epoch, 0);
  const std::size_t count = run.plan.receives.size();
  if (number >= first && number - first < count) return use_slice(run, number - first);
  early_.push_back(number);
}

void Transfers::take_early(Run& run) {
  for (const std::uint64_t number : std::exchange(early_, {})) take_arrival(run, number);
}

void Transfers::use_slice(Run& run, std::size_t index) {
  const Slice& slice = run.plan.receives[index].slice;
  if (run.plan.receives[index].adds) {
    const float* received = scratch_.data() + index % window() * kSliceElements;
    const float* input = run.buffers.input.data() + slice.offset;
    float* output = run.buffers.output.data() + slice.offset;
    for (std::size_t i = 0; i < slice.count; ++i) output[i] = input[i] + received[i];
  }
  run.used[index] = true;
  ++run.used_count;
  while (run.used_prefix < run.used.size() && run.used[run.used_prefix]) ++run.used_prefix;
  if (on_slice) on_slice(run.used_count, run.plan.receives.size());
}

Error Transfers::late(const Run& run, TimePoint began) const {
  const double seconds = std::chrono::duration<double>(Clock::now() - began).count();
  const bool receiving = run.used_count < run.plan.receives.size();
  const Slice& slice =
      receiving ? run.plan.receives[run.used_prefix].slice : run.plan.sends[run.sent_prefix].slice;
  const std::uint32_t peer =
      receiving ? run.plan.receives[run.used_prefix].peer : run.plan.sends[run.sent_prefix].peer;
  return Error(ErrorCode::kTimeout,
               fmt::format("{} of {} bytes: {} {} in step {} of {} after {:.1f} s",
                           to_string(run.plan.operation), run.buffers.output.size_bytes(),
                           receiving ? "nothing from" : "not taken by", labels_[peer],
                           slice.step + 1, run.plan.steps, seconds));
}

}  // namespace muster::bench::fabric
