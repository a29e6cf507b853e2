// Joining: how a muster-bench process finds its peers: a gang's variables, Slurm's, or nobody.
// The decisions are pure; the caller joins.
#pragma once

#include <optional>

#include "collectives-bench/backend.h"
#include "rendezvous/base/environment.h"
#include "rendezvous/base/result.h"
#include "rendezvous/group.h"
#include "slurm/step.h"

namespace muster::bench {

// The members of a step, in rank order: by node, then local task.
std::vector<rendezvous::ExpectedMember> members_of(const slurm::Step& step);

// How a step's tasks meet for a bench of their own. Without authentication and deadline.
rendezvous::JoinOptions join_options_of(const slurm::Step& step);

// Where options.self stands among the expected. kInvalidArgument when it is not among them.
Result<Seat> seat_of(const rendezvous::JoinOptions& options);

// The numeric address by which other nodes reach member `own` of the roster; "" when not known.
std::string address_of(const rendezvous::Roster& roster, std::size_t own);

}  // namespace muster::bench
