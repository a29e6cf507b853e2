// Modules that must be refused: MUSTER_BAD_MODULE is 1 for an interface of the future, 2 for a name
// that is not the file's, 3 for none at all.
#include "collectives-bench/backend.h"

#if MUSTER_BAD_MODULE == 3
extern "C" __attribute__((visibility("default"))) int something_else() {
  return 0;
}
#else
extern "C" __attribute__((visibility("default"))) const muster::bench::BackendModule*
muster_bench_backend() {
#if MUSTER_BAD_MODULE == 1
  static constexpr muster::bench::BackendModule kModule = {
      .abi = 999, .name = "old", .probe = nullptr, .create = nullptr};
#else
  static constexpr muster::bench::BackendModule kModule = {
      .name = "other", .probe = nullptr, .create = nullptr};
#endif
  return &kModule;
}
#endif
