// Builds evidence for tests: a job of four nodes whose clock starts at second 1,700,000,000.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "launcher/verdict/first_cause.h"

namespace muster::verdict {

inline constexpr std::int64_t kStartSeconds = 1'700'000'000;

// So many seconds after the start.
inline WallTime at(double seconds) {
  return WallTime(std::chrono::seconds(kStartSeconds) +
                  std::chrono::nanoseconds(static_cast<std::int64_t>(seconds * 1e9)));
}

// Two workers a node: rank 5 is local rank 1 of node2.
inline WorkerEnd worker(std::uint32_t rank, process::ExitStatus status, double when) {
  WorkerEnd end;
  end.place = {Rank{rank}, LocalRank{rank % 2}, NodeIndex{rank / 2},
               "node" + std::to_string(rank / 2)};
  end.status = status;
  end.when = at(when);
  return end;
}

inline WorkerEnd exits(std::uint32_t rank, int code, double when,
                       std::vector<std::string> tail = {}) {
  WorkerEnd end = worker(rank, process::ExitStatus::exited(code), when);
  end.stderr_tail = std::move(tail);
  return end;
}

inline WorkerEnd killed(std::uint32_t rank, int signal_number, double when,
                        std::vector<std::string> tail = {}) {
  WorkerEnd end = worker(rank, process::ExitStatus::killed(signal_number), when);
  end.stderr_tail = std::move(tail);
  return end;
}

inline WorkerEnd stopped_at(WorkerEnd end, double when) {
  end.stop_sent = at(when);
  return end;
}

// As torch's @record writes it, `seconds` after the start.
inline WorkerEnd with_error_file(WorkerEnd end, const std::string& message, std::int64_t seconds) {
  end.error_file = R"({"message": {"message": ")" + message +
                   R"(", "extraInfo": {"py_callstack": "Traceback (most recent call last):\n)" +
                   R"(  File \"train.py\", line 3, in main\n)" + message +
                   R"(\n", "timestamp": ")" + std::to_string(kStartSeconds + seconds) + R"("}}})";
  return end;
}

inline std::vector<std::string> traceback_of(const std::string& final_line) {
  return {"Traceback (most recent call last):", "  File \"train.py\", line 12, in <module>",
          "    main()", final_line};
}

// The evidence must hold a failure.
inline FirstCause cause_of(const Evidence& evidence) {
  return decide_first_cause(evidence).value();
}

}  // namespace muster::verdict
