// Watchdog: ends the process shortly after its deadline when a library call does not come back.
//
// A wedged driver or a plug-in that ignores our deadlines hangs its caller; a timer signal still
// arrives. The handler writes what was prepared and leaves with ExitCode::kDeadline. One a process.
#pragma once

#include <string>

#include "rendezvous/base/result.h"
#include "rendezvous/base/time.h"

namespace muster::bench {

inline constexpr std::size_t kMaxLastWords = 8192;

// Arms the timer of this process (SIGALRM) for `deadline`.
Status arm_watchdog(TimePoint deadline);

// What the handler writes to stderr, and to `report_fd` unless that is -1. Longer texts are cut.
void prepare_last_words(const std::string& line, int report_fd, const std::string& report);

void disarm_watchdog();

}  // namespace muster::bench
