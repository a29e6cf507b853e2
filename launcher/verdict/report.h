// The last words of a job: text of a first cause. Pure; the caller prints it once.
#pragma once

#include <chrono>
#include <cstddef>
#include <string>

#include "launcher/verdict/first_cause.h"

namespace muster::verdict {

inline constexpr std::size_t kReportedStderrLines = 10;
inline constexpr std::size_t kReportedCallStackLines = 40;
// srun tears what tasks write above 1,024 bytes; no line of a report is longer than this.
inline constexpr std::size_t kReportedLineBytes = 500;

// That worker's last stderr lines, the traceback of its error file unless the lines show it
// already, and, last, the one line of `final_line`. Every line ends in a newline.
std::string final_report(const FirstCause& cause);

// "muster: rank 5 (node2, local rank 1) failed first: exit code 3: ValueError: boom; 31 other
// workers stopped". No newline.
std::string final_line(const FirstCause& cause);

// Printed at once when a cancel arrives: "muster: SIGTERM on node1: stopping 32 workers, SIGKILL
// after 15 s". No newline.
std::string cancel_notice(const Cancel& cancel, std::size_t workers,
                          std::chrono::milliseconds grace);

}  // namespace muster::verdict
