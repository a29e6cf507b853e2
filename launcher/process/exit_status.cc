#include "launcher/process/exit_status.h"

#include "launcher/process/signals.h"

namespace muster::process {

std::optional<int> ExitStatus::signal() const {
  if (signum_ == 0) return std::nullopt;
  return signum_;
}

std::string to_string(const ExitStatus& status) {
  if (const auto signum = status.signal()) {
    std::string text = "signal " + std::to_string(*signum) + " (" + signal_name(*signum) + ")";
    if (status.dumped_core()) text += ", core dumped";
    return text;
  }
  return "exit code " + std::to_string(status.exit_code());
}

}  // namespace muster::process
