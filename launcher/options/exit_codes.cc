#include "launcher/options/exit_codes.h"

namespace muster::options {
namespace {

constexpr ExitCodeRow kRows[] = {
    {ExitCode::kSuccess, "success", "every worker ended with code 0"},
    {ExitCode::kUsage, "usage", "the command line, a variable or the shape of the step is wrong"},
    {ExitCode::kMissingNodes, "missing nodes", "not every node came before --assemble-deadline"},
    {ExitCode::kRefused, "refused", "a node or a peer could not prove who it is"},
    {ExitCode::kUnfit, "unfit", "the check measured, and its verdict is no"},
    {ExitCode::kNotMeasured, "not measured", "the check could not measure"},
    {ExitCode::kLost, "lost", "a node or an agent was lost while workers ran"},
    {ExitCode::kInternal, "internal", "muster itself failed"},
    {ExitCode::kCannotExecute, "cannot execute", "the program was found and could not be started"},
    {ExitCode::kNotFound, "not found", "the program was not found"},
};

}  // namespace

std::span<const ExitCodeRow> exit_code_table() {
  return kRows;
}

}  // namespace muster::options
