// FabricBackend: collectives on host memory over libfabric, one endpoint a rank.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "collectives-bench/backend.h"
#include "collectives-bench/fabric/endpoint.h"
#include "collectives-bench/fabric/fault.h"
#include "collectives-bench/fabric/libfabric.h"
#include "collectives-bench/fabric/transfers.h"

namespace muster::bench::fabric {

class FabricBackend : public Backend {
 public:
  FabricBackend();
  ~FabricBackend() override;

  static Status probe(const BackendOptions& options);

  Result<BackendFacts> open(const BackendOptions& options, Exchange& exchange,
                            TimePoint deadline) override;
  Result<Timing> measure(const Collective& collective, Placement placement,
                         std::uint32_t iterations, TimePoint deadline) override;
  Result<std::uint64_t> verify(const Collective& collective, Placement placement,
                               std::uint32_t round, TimePoint deadline) override;
  BackendFacts facts() const override { return facts_; }
  void abort() override;
  Status close(TimePoint deadline) override;

 private:
  struct Pages;  // floats on pages of their own, and their registration
  struct Work {  // where one operation reads and writes
    std::span<float> input;
    std::span<float> output;
    void* output_descriptor = nullptr;
  };

  Result<std::string> load_library();
  Result<std::string> open_endpoint(bool one_node);
  Status connect(const std::vector<std::string>& payloads);
  Status allocate();
  Work work(const Collective& collective, Placement placement, std::uint32_t iteration) const;
  Status run_once(const TransferPlan& plan, const Work& work, TimePoint deadline);
  TransferPlan plan(const Collective& collective) const;
  void arm_fault();

  BackendOptions options_;
  Exchange* exchange_ = nullptr;
  BackendFacts facts_;
  Fault fault_;
  // Closed in reverse order: the transfers before the memory, the memory before the endpoint.
  std::unique_ptr<Libfabric> library_;
  std::unique_ptr<Endpoint> endpoint_;
  std::unique_ptr<Pages> input_;
  std::unique_ptr<Pages> output_;
  std::unique_ptr<Pages> scratch_;
  std::unique_ptr<Transfers> transfers_;
  std::uint32_t epoch_ = 0;
};

}  // namespace muster::bench::fabric
