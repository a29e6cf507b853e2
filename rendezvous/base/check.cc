#include "rendezvous/base/check.h"

#include <cstdio>
#include <cstdlib>

namespace muster {

void abort_on_broken_invariant(const char* condition, const char* file, int line) {
  std::fprintf(stderr, "muster: broken invariant at %s:%d: %s\n", file, line, condition);
  std::abort();
}

}  // namespace muster
