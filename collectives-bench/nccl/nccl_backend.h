// NcclBackend: collectives on GPU memory with NCCL, one communicator, one GPU a process.
//
// The communicator is non-blocking and every wait polls with a deadline; NCCL itself would wait for
// a missing rank for ever. Calls into the CUDA driver have no deadline: the program's watchdog
// stands behind them.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "collectives-bench/backend.h"
#include "collectives-bench/fault.h"
#include "collectives-bench/nccl/cuda_driver.h"
#include "collectives-bench/nccl/debug_lines.h"
#include "collectives-bench/nccl/nccl_library.h"
#include "collectives-bench/pattern.h"

namespace muster::bench::nccl {

class NcclBackend : public Backend {
 public:
  NcclBackend() = default;
  ~NcclBackend() override;

  static Status probe(const BackendOptions& options);

  Result<BackendFacts> open(const BackendOptions& options, Exchange& exchange,
                            TimePoint deadline) override;
  Result<Timing> measure(const Collective& collective, Placement placement,
                         std::uint32_t iterations, TimePoint deadline) override;
  Result<std::uint64_t> verify(const Collective& collective, Placement placement,
                               std::uint32_t round, TimePoint deadline) override;
  BackendFacts facts() const override;
  void abort() override;
  Status close(TimePoint deadline) override;

 private:
  struct Operands {
    CUdeviceptr input;
    CUdeviceptr output;
    CUdeviceptr region;  // all that the operation may write, or read in place
  };

  Status load();
  Status open_device();
  Status allocate();
  Status allocate_on_device();
  Result<std::string> make_id();
  Status connect(const std::string& id, TimePoint deadline);
  Operands operands(const Collective& collective, Placement placement,
                    std::uint32_t iteration) const;
  Status enqueue(const Collective& collective, const Operands& operands, TimePoint deadline);
  ncclResult_t call(const Collective& collective, const Operands& operands) const;
  ncclResult_t call_pairs(const Collective& collective, const Operands& operands) const;
  void strike_if_armed();
  // Until the communicator has taken what it was given.
  Status settle(const char* what, TimePoint deadline);
  // Until the stream has done all it was given.
  Status drain(const char* what, TimePoint deadline);
  Status fill(const Pattern& pattern, CUdeviceptr target, std::size_t count, TimePoint deadline);
  Result<std::uint64_t> compare(const Pattern& pattern, const Collective& collective,
                                CUdeviceptr result, TimePoint deadline);
  // All ranks agree on it: was the one operation just before so short that events between such
  // would show in the time of all? Then single iterations are timed apart.
  Result<bool> times_apart(TimePoint deadline);
  // `iterations` back to back, until the last is done; events around the first `samples` of them.
  Result<std::chrono::nanoseconds> run(const Collective& collective, Placement placement,
                                       std::uint32_t iterations, std::uint32_t samples,
                                       TimePoint deadline);
  // Events around the iterations that are timed one by one.
  Status make_events(std::size_t count);
  Status mark(std::size_t event);
  Result<std::vector<double>> time_between(std::size_t intervals) const;
  void release();

  BackendOptions options_;
  Exchange* exchange_ = nullptr;
  BackendFacts facts_;
  Fault fault_;
  std::uint64_t operations_ = 0;  // that were begun
  DebugLines lines_;
  std::unique_ptr<CudaDriver> cuda_;
  std::unique_ptr<NcclLibrary> nccl_;
  CUdevice device_ = 0;
  CUcontext context_ = nullptr;
  CUstream stream_ = nullptr;
  CUdeviceptr input_ = 0;
  CUdeviceptr output_ = 0;
  ncclComm_t communicator_ = nullptr;
  std::span<float> staging_;  // pinned
  std::vector<float> expected_;
  std::vector<CUevent> events_;
  // The operation that was measured alone, just before.
  std::optional<std::chrono::nanoseconds> single_took_;
};

}  // namespace muster::bench::nccl
