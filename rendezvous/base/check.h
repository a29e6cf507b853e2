// MUSTER_CHECK(condition): a broken invariant of our own code aborts with its location.
//
// Never for input: what a peer, a file, the environment or a user gives is answered with an Error.
#pragma once

namespace muster {

[[noreturn]] void abort_on_broken_invariant(const char* condition, const char* file, int line);

}  // namespace muster

#define MUSTER_CHECK(condition)       \
  ((condition) ? static_cast<void>(0) \
               : ::muster::abort_on_broken_invariant(#condition, __FILE__, __LINE__))
