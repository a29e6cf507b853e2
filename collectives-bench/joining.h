// Joining: how a muster-bench process finds its peers: a gang's variables, Slurm's, or nobody.
// The decisions are pure; the caller joins.
#pragma once

#include <optional>

#include "collectives-bench/backend.h"
#include "collectives-bench/slot.h"
#include "rendezvous/base/environment.h"
#include "rendezvous/base/result.h"
#include "rendezvous/group.h"
#include "slurm/step.h"

namespace muster::bench {

// The members of a step, in rank order: by node, then local task, then slot. Each task is `slots`
// members; a member's task counts them all.
std::vector<rendezvous::ExpectedMember> members_of(const slurm::Step& step,
                                                   std::uint32_t slots = 1);

// How a step's ranks meet for a bench of their own. Without authentication and deadline.
rendezvous::JoinOptions join_options_of(const slurm::Step& step, const Slot& slot = {});

// How the slots of one process meet over loopback where nothing else is around. `id` and `key`,
// fresh random ones, keep them apart from others on this machine. Without deadline.
rendezvous::JoinOptions join_options_alone(const std::string& host, const Slot& slot,
                                           std::uint64_t id, const std::string& key);

// Where there is nothing to meet by: fails when mpirun started several of us, each of which would
// take itself for the whole world.
Status check_started_alone(const Environment& environment);

// Where options.self stands among the expected. kInvalidArgument when it is not among them.
Result<Seat> seat_of(const rendezvous::JoinOptions& options);

// The numeric address by which other nodes reach member `own` of the roster; "" when not known.
std::string address_of(const rendezvous::Roster& roster, std::size_t own);

}  // namespace muster::bench
