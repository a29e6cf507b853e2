// FabricBackend: all-reduce of host memory over libfabric, one ring, one endpoint a rank.
#pragma once

#include <memory>
#include <vector>

#include "collectives-bench/backend.h"
#include "collectives-bench/fabric/endpoint.h"
#include "collectives-bench/fabric/fault.h"
#include "collectives-bench/fabric/libfabric.h"
#include "collectives-bench/fabric/ring.h"

namespace muster::bench::fabric {

class FabricBackend : public Backend {
 public:
  FabricBackend();
  ~FabricBackend() override;

  static Status probe(const BackendOptions& options);

  Result<BackendFacts> open(const BackendOptions& options, Exchange& exchange,
                            TimePoint deadline) override;
  Result<std::chrono::nanoseconds> all_reduce(std::size_t count, Placement placement,
                                              std::uint32_t iterations,
                                              TimePoint deadline) override;
  Result<std::uint64_t> verify(std::size_t count, Placement placement, std::uint32_t round,
                               TimePoint deadline) override;
  BackendFacts facts() const override { return facts_; }
  void abort() override;
  Status close(TimePoint deadline) override;

 private:
  struct Pages;  // floats on pages of their own, and their registration

  Result<std::string> load_library();
  Result<std::string> open_endpoint(bool one_node);
  Status connect(const std::vector<std::string>& payloads);
  Status allocate();
  RingBuffers buffers(std::size_t count, Placement placement, std::uint32_t iteration) const;
  Status run_once(const RingPlan& plan, const RingBuffers& buffers, TimePoint deadline);
  RingPlan plan(std::size_t count) const;
  void arm_fault();

  BackendOptions options_;
  Exchange* exchange_ = nullptr;
  BackendFacts facts_;
  Fault fault_;
  // Closed in reverse order: the ring before the memory, the memory before the endpoint.
  std::unique_ptr<Libfabric> library_;
  std::unique_ptr<Endpoint> endpoint_;
  std::unique_ptr<Pages> input_;
  std::unique_ptr<Pages> output_;
  std::unique_ptr<Pages> scratch_;
  std::unique_ptr<Ring> ring_;
  std::uint32_t epoch_ = 0;
};

}  // namespace muster::bench::fabric
