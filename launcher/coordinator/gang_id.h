// GangId: counts the gangs of a job, check gangs included. Pure.
#pragma once

#include <cstdint>

namespace muster::launcher {

// Never reused, so a late answer is recognised.
enum class GangId : std::uint32_t {};

}  // namespace muster::launcher
