// The marker: one environment variable, unique per agent, that every descendant of its workers
// inherits. By it processes are found that left their group, their session and their parent.
#pragma once

#include <string>
#include <string_view>

namespace muster::process {

inline constexpr std::string_view kMarkerVariable = "MUSTER_MARKER";

// A value no other agent has, on any node: host, process, time and random bits.
std::string make_marker();

// The value for what an agent runs beside its gangs (--prewarm) and must not lose at their end.
std::string beside_marker(std::string_view marker);

}  // namespace muster::process
