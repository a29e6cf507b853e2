#include "collectives-bench/fabric/transfers.h"

#include <fmt/format.h>

#include <algorithm>

#include "rendezvous/base/check.h"

namespace muster::bench::fabric {

namespace {

constexpr Duration kRetry = std::chrono::milliseconds(1);

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

Transfers::Transfers(Endpoint& endpoint, std::vector<Peer> peers, std::span<float> scratch,
                     void* scratch_descriptor)
    : endpoint_(endpoint),
      peers_(std::move(peers)),
      scratch_(scratch),
      scratch_descriptor_(scratch_descriptor),
      receives_(kWindow),
      sends_(kWindow) {
  MUSTER_CHECK(scratch.size() >= kWindow * kSliceElements);
}

Status Transfers::run(const TransferPlan& plan, const TransferBuffers& buffers, std::uint32_t epoch,
                      TimePoint deadline) {
  Run run{.plan = plan, .buffers = buffers, .epoch = epoch, .used = {}, .sent = {}};
  run.used.resize(plan.receives.size());
  run.sent.resize(plan.sends.size());
  const TimePoint began = Clock::now();
  MUSTER_RETURN_IF_ERROR(post_receives(run));
  MUSTER_RETURN_IF_ERROR(post_sends(run));
  copy_locally(plan.copy, buffers);  // while the first slices travel
  while (!run.complete()) {
    run.refused = false;
    MUSTER_RETURN_IF_ERROR(post_receives(run));
    MUSTER_RETURN_IF_ERROR(post_sends(run));
    const TimePoint retry = Clock::now() + kRetry;
    MUSTER_TRY(finished, endpoint_.wait(run.refused ? std::min(retry, deadline) : deadline));
    for (const Finished& one : finished) MUSTER_RETURN_IF_ERROR(take(run, one));
    if (Clock::now() >= deadline && !run.complete()) return failure(late(run, began));
  }
  return {};
}

Status Transfers::post_receives(Run& run) {
  while (run.posted_receives < run.plan.receives.size() &&
         run.posted_receives < run.used_prefix + kWindow) {
    const std::size_t index = run.posted_receives;
    const Receive& receive = run.plan.receives[index];
    const Slice& slice = receive.slice;
    const std::span<float> target =
        receive.adds ? scratch_.subspan(index % kWindow * kSliceElements, slice.count)
                     : run.buffers.output.subspan(slice.offset, slice.count);
    InFlight& operation = receives_[index % kWindow];
    operation.index = index;
    operation.is_send = false;
    MUSTER_TRY(taken,
               endpoint_.receive(operation, std::as_writable_bytes(target),
                                 receive.adds ? scratch_descriptor_ : run.buffers.output_descriptor,
                                 peers_[receive.peer].address, tag_of(run.epoch, slice)));
    if (!taken) {
      run.refused = true;
      return {};
    }
    ++run.posted_receives;
  }
  return {};
}

Status Transfers::post_sends(Run& run) {
  while (run.posted_sends < run.plan.sends.size() && run.posted_sends < run.sent_prefix + kWindow) {
    const std::size_t index = run.posted_sends;
    const Send& send = run.plan.sends[index];
    if (send.after && !run.used[*send.after]) return {};
    const bool from_output = send.after.has_value();
    const auto bytes = from_output ? bytes_of(run.buffers.output, send.slice)
                                   : bytes_of(run.buffers.input, send.slice);
    void* descriptor = from_output ? run.buffers.output_descriptor : run.buffers.input_descriptor;
    InFlight& operation = sends_[index % kWindow];
    operation.index = index;
    operation.is_send = true;
    MUSTER_TRY(taken, endpoint_.send(operation, bytes, descriptor, peers_[send.peer].address,
                                     tag_of(run.epoch, send.slice)));
    if (!taken) {
      run.refused = true;
      return {};
    }
    ++run.posted_sends;
  }
  return {};
}

Status Transfers::take(Run& run, const Finished& finished) {
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
                   fmt::format("{} {}: {}", is_send ? "send to" : "receive from",
                               peers_[peer].label, *finished.error));
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

void Transfers::use_slice(Run& run, std::size_t index) {
  const Slice& slice = run.plan.receives[index].slice;
  if (run.plan.receives[index].adds) {
    const float* received = scratch_.data() + index % kWindow * kSliceElements;
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
                           receiving ? "nothing from" : "not taken by", peers_[peer].label,
                           slice.step + 1, run.plan.steps, seconds));
}

}  // namespace muster::bench::fabric
