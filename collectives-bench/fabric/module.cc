// The module's one exported symbol.
#include "collectives-bench/fabric/fabric_backend.h"

extern "C" __attribute__((visibility("default"))) const muster::bench::BackendModule*
muster_bench_backend() {
  static constexpr muster::bench::BackendModule kModule = {
      .name = "fabric",
      .probe =
          [](const muster::bench::BackendOptions& options) {
            return muster::bench::fabric::FabricBackend::probe(options);
          },
      .create = []() -> std::unique_ptr<muster::bench::Backend> {
        return std::make_unique<muster::bench::fabric::FabricBackend>();
      }};
  return &kModule;
}
