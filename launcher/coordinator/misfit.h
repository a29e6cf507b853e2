// Misfit: why the agents that met cannot run the job together. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/coordinator/agent_facts.h"
#include "rendezvous/types.h"

namespace muster::launcher {

struct Misfit {
  int exit_code = 0;
  std::string text;  // one line; "" if the user has read it already
};

// Reads what the members told of themselves into `facts`, one each, in their order; all are read
// unless there is a misfit. `told` is an agent's own error that the user has read already: it is
// said again only where it is not everybody's, since then it matters whose it is.
std::optional<Misfit> find_misfit(const rendezvous::Roster& roster, std::string_view told,
                                  std::vector<AgentFacts>& facts);

}  // namespace muster::launcher
