// Time as pure code sees it: an argument. The shell reads the clock, nobody else does.
#pragma once

#include <chrono>

namespace muster {

using Clock = std::chrono::steady_clock;
using TimePoint = Clock::time_point;
using Duration = std::chrono::milliseconds;

}  // namespace muster
