// Transfers: runs one collective over an endpoint as its TransferPlan says. A shell around the
// plan.
//
// Receives are posted ahead and sends kept in flight up to a window. One thread; run() blocks at
// most until its deadline. After an error it is of no further use.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "collectives-bench/fabric/endpoint.h"
#include "collectives-bench/fabric/transfer_plan.h"
#include "rendezvous/base/result.h"
#include "rendezvous/base/time.h"

namespace muster::bench::fabric {

inline constexpr std::size_t kSliceElements = 128 * 1024;  // 512 KiB
inline constexpr std::size_t kWindow = 8;                  // slices in flight each way

struct Peer {
  std::string label;  // "rank 2 (node3)", for errors
  fi_addr_t address = FI_ADDR_UNSPEC;
};

// What one operation works on, as its plan's offsets mean it: input and output apart or the same.
struct TransferBuffers {
  std::span<const float> input;
  std::span<float> output;
  void* input_descriptor = nullptr;
  void* output_descriptor = nullptr;
};

class Transfers {
 public:
  // `peers` by rank. `scratch` holds kWindow * kSliceElements floats. All outlive this.
  Transfers(Endpoint& endpoint, std::vector<Peer> peers, std::span<float> scratch,
            void* scratch_descriptor);

  // `epoch` numbers the operations, the same on all ranks, never reused.
  Status run(const TransferPlan& plan, const TransferBuffers& buffers, std::uint32_t epoch,
             TimePoint deadline);

  // Called after each slice that was received and used; for fault injection.
  std::function<void(std::size_t done, std::size_t all)> on_slice;

 private:
  struct Run;  // the state of one operation

  Status post_receives(Run& run);
  Status post_sends(Run& run);
  Status take(Run& run, const Finished& finished);
  void use_slice(Run& run, std::size_t index);
  Error late(const Run& run, TimePoint began) const;

  Endpoint& endpoint_;
  std::vector<Peer> peers_;
  std::span<float> scratch_;
  void* scratch_descriptor_;
  std::vector<InFlight> receives_;
  std::vector<InFlight> sends_;
};

}  // namespace muster::bench::fabric
