// The module's one exported symbol.
#include "collectives-bench/nccl/nccl_backend.h"

extern "C" __attribute__((visibility("default"))) const muster::bench::BackendModule*
muster_bench_backend() {
  static constexpr muster::bench::BackendModule kModule = {
      .name = "nccl",
      .probe =
          [](const muster::bench::BackendOptions& options) {
            return muster::bench::nccl::NcclBackend::probe(options);
          },
      .create = []() -> std::unique_ptr<muster::bench::Backend> {
        return std::make_unique<muster::bench::nccl::NcclBackend>();
      }};
  return &kModule;
}
