// The number of a generation: the coordinator's epoch in the upper half, so that two coordinators
// never give out the same one and a newer coordinator's is always greater. Pure.
#pragma once

#include <cstdint>

#include "rendezvous/base/ids.h"

namespace muster::rendezvous {

constexpr std::uint32_t epoch_of(Generation generation) {
  return static_cast<std::uint32_t>(value_of(generation) >> 32);
}

// Before the first one of this epoch.
constexpr Generation none_of_epoch(std::uint32_t epoch) {
  return Generation{std::uint64_t{epoch} << 32};
}

}  // namespace muster::rendezvous
