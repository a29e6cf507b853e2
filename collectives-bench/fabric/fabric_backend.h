// FabricBackend: collectives on host memory over libfabric, one endpoint a rank, or with --nic one
// for each NIC that is measured.
#pragma once

#include <memory>
#include <span>
#include <vector>

#include "collectives-bench/backend.h"
#include "collectives-bench/fabric/lane.h"
#include "collectives-bench/fabric/libfabric.h"
#include "collectives-bench/fabric/nics.h"
#include "collectives-bench/fabric/transfers.h"
#include "collectives-bench/fault.h"

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
  void use_nic(std::size_t place) override;
  void abort() override;
  Status close(TimePoint deadline) override;

 private:
  struct Pages;  // floats on pages of their own
  struct Work {  // where one operation reads and writes
    std::span<float> input;
    std::span<float> output;
    Region output_region = Region::kOutput;
    std::size_t output_offset = 0;  // elements
  };

  Result<std::string> load_library();
  Result<std::string> open_lanes(bool one_node);
  Result<std::vector<EndpointOptions>> choose_devices(bool one_node);
  Status connect(const std::vector<std::string>& payloads);
  Status allocate(std::size_t lanes);
  Work work(const Collective& collective, Placement placement, std::uint32_t iteration) const;
  Status run_once(const TransferPlan& plan, const Work& work, TimePoint deadline);
  TransferPlan plan(const Collective& collective) const;
  void arm_fault();
  Status check_rma() const;

  BackendOptions options_;
  Exchange* exchange_ = nullptr;
  BackendFacts facts_;
  Fault fault_;
  // Closed in reverse order: the transfers before the lanes, the lanes before the memory.
  std::unique_ptr<Libfabric> library_;
  std::unique_ptr<Pages> input_;
  std::unique_ptr<Pages> output_;
  std::unique_ptr<Pages> scratch_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::vector<NicTurn> turns_;  // with --nic
  std::unique_ptr<Transfers> transfers_;
  std::uint32_t epoch_ = 0;
};

}  // namespace muster::bench::fabric
