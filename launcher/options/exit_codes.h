// Exit codes of `muster`: a public contract. Scripts around srun decide by them. Pure.
//
// A worker's own code passes through unchanged, and a worker's death by signal N becomes 128+N, so
// muster's own codes stay away from what programs, shells and timeout(1) commonly use (0-2, 64-78,
// 93, 124-127, 128 and up). Every agent of a step exits with the same code: srun returns the
// highest. A program that cannot be started gives 127 or 126, as in a shell.
#pragma once

#include <span>
#include <string_view>

namespace muster::options {

enum class ExitCode : int {
  kSuccess = 0,
  kUsage = 80,           // the command line, a variable or the shape of the step is wrong
  kMissingNodes = 81,    // not every node came before the assemble deadline
  kRefused = 82,         // proof of identity failed
  kUnfit = 83,           // the check measured, and the verdict is no
  kNotMeasured = 84,     // the check could not measure; nothing is known of the machine
  kLost = 85,            // a node or an agent was lost while workers ran
  kInternal = 86,        // muster itself failed
  kCannotExecute = 126,  // the program was found and could not be started
  kNotFound = 127,       // the program was not found
};

inline constexpr int kSignalBase = 128;  // death by signal N: kSignalBase + N

struct ExitCodeRow {
  ExitCode code;
  std::string_view name;     // one word or two, as messages write it
  std::string_view meaning;  // one line
};

// Every enumerator once, in ascending order. The page in README.md is tested against it.
std::span<const ExitCodeRow> exit_code_table();

constexpr int to_int(ExitCode code) {
  return static_cast<int>(code);
}

// 128+N for signals 1 to 64.
constexpr int exit_code_of_signal(int signal_number) {
  return kSignalBase + signal_number;
}

}  // namespace muster::options
