// Transfers: runs one collective over an endpoint as its TransferPlan says. A shell around the
// plan.
//
// Receives are posted ahead and sends kept in flight up to a window. With rma nothing is posted:
// every slice is written to its place in the peer's output, and a number in the peer's completion
// queue says which one is there, in any order. A peer may be operations ahead, since nobody waits
// for a receiver: what came early is kept until its operation begins. One thread; run() blocks at
// most until its deadline. After an error it is of no further use.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "collectives-bench/backend.h"
#include "collectives-bench/fabric/lane.h"
#include "collectives-bench/fabric/transfer_plan.h"
#include "rendezvous/base/result.h"
#include "rendezvous/base/time.h"

namespace muster::bench::fabric {

inline constexpr std::size_t kSliceElements = 128 * 1024;  // 512 KiB
inline constexpr std::size_t kWindow = 8;                  // slices in flight each way, a lane

// What says over rma which slice of which operation arrived: 12 bits of the epoch, 20 of the index.
// A peer is never 4096 operations ahead: in a ring it can be as many as there are ranks less one.
std::uint32_t arrival_number(std::uint32_t epoch, std::uint32_t index);
inline constexpr std::size_t kMaxRmaRanks = 4096;
inline constexpr std::size_t kMaxRmaSlices = 1u << 20;

// What one operation works on, as its plan's offsets mean it: input and output apart or the same.
struct TransferBuffers {
  std::span<const float> input;
  std::span<float> output;
  Region output_region = Region::kOutput;  // kInput where they are the same
  std::size_t output_offset = 0;           // of output in its region, in elements
};

class Transfers {
 public:
  // `labels` by rank, "rank 2 (node3)". `scratch` holds kWindow * kSliceElements floats for each of
  // the lanes, all of which are used until use_lanes(). Lanes and scratch outlive this.
  Transfers(std::vector<Lane*> lanes, std::vector<std::string> labels, std::span<float> scratch,
            Transport transport);

  // From the next operation on; alike on all ranks.
  void use_lanes(std::vector<Lane*> lanes);
  std::size_t lanes() const { return lanes_.size(); }

  // `epoch` numbers the operations, the same on all ranks, never reused.
  Status run(const TransferPlan& plan, const TransferBuffers& buffers, std::uint32_t epoch,
             TimePoint deadline);

  // Called after each slice that was received and used; for fault injection.
  std::function<void(std::size_t done, std::size_t all)> on_slice;

 private:
  struct Run;  // the state of one operation

  Status post_receives(Run& run);
  Status post_sends(Run& run);
  Result<bool> post_send(Run& run, std::size_t index);
  Result<std::vector<Finished>> wait(TimePoint until);
  Status take(Run& run, const Finished& finished);
  void take_arrival(Run& run, std::uint64_t number);
  void take_early(Run& run);
  Lane& lane_of(const Slice& slice) const;
  std::size_t window() const { return kWindow * lanes_.size(); }
  void use_slice(Run& run, std::size_t index);
  Error late(const Run& run, TimePoint began) const;

  std::vector<Lane*> lanes_;
  std::vector<std::string> labels_;
  std::span<float> scratch_;
  Transport transport_;
  std::vector<std::uint64_t> early_;  // numbers of later operations
  std::vector<InFlight> receives_;
  std::vector<InFlight> sends_;
};

}  // namespace muster::bench::fabric
