#include "collectives-bench/fabric/ring.h"

#include <fmt/format.h>

#include <algorithm>

#include "rendezvous/base/check.h"

namespace muster::bench::fabric {

namespace {

constexpr Duration kRetry = std::chrono::milliseconds(1);

std::uint64_t tag_of(std::uint32_t epoch, const Slice& slice) {
  return static_cast<std::uint64_t>(epoch) << 40 | static_cast<std::uint64_t>(slice.step) << 20 |
         slice.index;
}

std::span<const std::byte> bytes_of(std::span<const float> data, const Slice& slice) {
  return std::as_bytes(data.subspan(slice.offset, slice.count));
}

}  // namespace

struct Ring::Run {
  const RingPlan& plan;
  const RingBuffers& buffers;
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

Ring::Ring(Endpoint& endpoint, RingPeer left, RingPeer right, std::span<float> scratch,
           void* scratch_descriptor)
    : endpoint_(endpoint),
      left_(std::move(left)),
      right_(std::move(right)),
      scratch_(scratch),
      scratch_descriptor_(scratch_descriptor),
      receives_(kWindow),
      sends_(kWindow) {
  MUSTER_CHECK(scratch.size() >= kWindow * kSliceElements);
}

Status Ring::run(const RingPlan& plan, const RingBuffers& buffers, std::uint32_t epoch,
                 TimePoint deadline) {
  Run run{.plan = plan, .buffers = buffers, .epoch = epoch, .used = {}, .sent = {}};
  run.used.resize(plan.receives.size());
  run.sent.resize(plan.sends.size());
  const TimePoint began = Clock::now();
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

Status Ring::post_receives(Run& run) {
  while (run.posted_receives < run.plan.receives.size() &&
         run.posted_receives < run.used_prefix + kWindow) {
    const std::size_t index = run.posted_receives;
    const Slice& slice = run.plan.receives[index];
    const bool adds = run.plan.adds(slice);
    const std::span<float> target =
        adds ? scratch_.subspan(index % kWindow * kSliceElements, slice.count)
             : run.buffers.output.subspan(slice.offset, slice.count);
    Operation& operation = receives_[index % kWindow];
    operation.index = index;
    operation.is_send = false;
    MUSTER_TRY(taken, endpoint_.receive(operation, std::as_writable_bytes(target),
                                        adds ? scratch_descriptor_ : run.buffers.output_descriptor,
                                        left_.address, tag_of(run.epoch, slice)));
    if (!taken) {
      run.refused = true;
      return {};
    }
    ++run.posted_receives;
  }
  return {};
}

Status Ring::post_sends(Run& run) {
  while (run.posted_sends < run.plan.sends.size() && run.posted_sends < run.sent_prefix + kWindow) {
    const std::size_t index = run.posted_sends;
    const bool own = index < run.plan.own_sends;
    if (!own && !run.used[index - run.plan.own_sends]) return {};
    const Slice& slice = run.plan.sends[index];
    const auto bytes =
        own ? bytes_of(run.buffers.input, slice) : bytes_of(run.buffers.output, slice);
    void* descriptor = own ? run.buffers.input_descriptor : run.buffers.output_descriptor;
    Operation& operation = sends_[index % kWindow];
    operation.index = index;
    operation.is_send = true;
    MUSTER_TRY(taken, endpoint_.send(operation, bytes, descriptor, right_.address,
                                     tag_of(run.epoch, slice)));
    if (!taken) {
      run.refused = true;
      return {};
    }
    ++run.posted_sends;
  }
  return {};
}

Status Ring::take(Run& run, const Finished& finished) {
  if (finished.error) {
    const bool to_right = finished.operation != nullptr && finished.operation->is_send;
    return failure(ErrorCode::kUnavailable,
                   fmt::format("{} {}: {}", to_right ? "send to" : "receive from",
                               to_right ? right_.label : left_.label, *finished.error));
  }
  const std::size_t index = finished.operation->index;
  if (finished.operation->is_send) {
    run.sent[index] = true;
    ++run.sent_count;
    while (run.sent_prefix < run.sent.size() && run.sent[run.sent_prefix]) ++run.sent_prefix;
    return {};
  }
  use_slice(run, index);
  return {};
}

void Ring::use_slice(Run& run, std::size_t index) {
  const Slice& slice = run.plan.receives[index];
  if (run.plan.adds(slice)) {
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

Error Ring::late(const Run& run, TimePoint began) const {
  const double seconds = std::chrono::duration<double>(Clock::now() - began).count();
  const bool receiving = run.used_count < run.plan.receives.size();
  const std::size_t steps = 2 * run.plan.reducing_steps;
  const Slice& slice =
      receiving ? run.plan.receives[run.used_prefix] : run.plan.sends[run.sent_prefix];
  return Error(
      ErrorCode::kTimeout,
      fmt::format("all_reduce of {} bytes: {} {} in step {} of {} after {:.1f} s",
                  run.buffers.output.size_bytes(), receiving ? "nothing from" : "not taken by",
                  receiving ? left_.label : right_.label, slice.step + 1, steps, seconds));
}

}  // namespace muster::bench::fabric
