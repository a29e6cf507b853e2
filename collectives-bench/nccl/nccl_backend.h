// NcclBackend: all-reduce of GPU memory with NCCL, one communicator, one GPU a process.
//
// The communicator is non-blocking and every wait polls with a deadline; NCCL itself would wait for
// a missing rank for ever. Calls into the CUDA driver have no deadline: the program's watchdog
// stands behind them.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "collectives-bench/backend.h"
#include "collectives-bench/nccl/cuda_driver.h"
#include "collectives-bench/nccl/nccl_library.h"

namespace muster::bench::nccl {

class NcclBackend : public Backend {
 public:
  NcclBackend() = default;
  ~NcclBackend() override;

  static Status probe(const BackendOptions& options);

  Result<BackendFacts> open(const BackendOptions& options, Exchange& exchange,
                            TimePoint deadline) override;
  Result<std::chrono::nanoseconds> all_reduce(std::size_t count, Placement placement,
                                              std::uint32_t iterations,
                                              TimePoint deadline) override;
  Result<std::uint64_t> verify(std::size_t count, Placement placement, std::uint32_t round,
                               TimePoint deadline) override;
  BackendFacts facts() const override;
  void abort() override;
  Status close(TimePoint deadline) override;

 private:
  struct Operands {
    CUdeviceptr input;
    CUdeviceptr output;
  };

  Status load();
  Status open_device();
  Status allocate();
  Result<std::string> make_id();
  Status connect(const std::string& id, TimePoint deadline);
  Operands operands(std::size_t count, Placement placement, std::uint32_t iteration) const;
  Status enqueue(std::size_t count, const Operands& operands, TimePoint deadline);
  // Until the communicator has taken what it was given.
  Status settle(const char* what, TimePoint deadline);
  // Until the stream has done all it was given.
  Status drain(const char* what, TimePoint deadline);
  Status fill(CUdeviceptr target, std::size_t count, std::span<const float> period);
  Result<std::uint64_t> compare(CUdeviceptr result, std::size_t count,
                                std::span<const float> period, TimePoint deadline);
  void release();

  BackendOptions options_;
  Exchange* exchange_ = nullptr;
  BackendFacts facts_;
  std::unique_ptr<CudaDriver> cuda_;
  std::unique_ptr<NcclLibrary> nccl_;
  CUdevice device_ = 0;
  CUcontext context_ = nullptr;
  CUstream stream_ = nullptr;
  CUdeviceptr input_ = 0;
  CUdeviceptr output_ = 0;
  ncclComm_t communicator_ = nullptr;
  std::vector<float> staging_;
};

}  // namespace muster::bench::nccl
