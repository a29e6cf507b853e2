#include "slurm/terminal.h"

namespace muster::slurm {

bool has_terminal_of_user(const Environment& environment) {
  return environment.has("SLURM_PTY_PORT");
}

}  // namespace muster::slurm
