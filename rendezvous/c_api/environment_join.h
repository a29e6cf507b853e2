// How this process joins a group that its environment describes. Pure.
//
// The one file of rendezvous/ that knows slurm/: see README.md of this folder for why.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "rendezvous/authentication.h"
#include "rendezvous/base/environment.h"
#include "rendezvous/base/result.h"
#include "rendezvous/group.h"

namespace muster::rendezvous {

inline constexpr std::size_t kMaxMeetingName = 48;

struct EnvironmentJoin {
  JoinOptions options;                // the deadline stays the caller's matter
  std::optional<std::uint32_t> rank;  // SLURM_PROCID; nothing: ranks are member indexes
};

// The proof of the members of a Slurm step is chosen from `facts`; a prepared group brings its own.
// kNotFound: neither MUSTER_GROUP_ID nor a Slurm job is there.
Result<EnvironmentJoin> plan_environment_join(const Environment& environment,
                                              const AuthenticationFacts& facts,
                                              std::string_view name);

// "program", "program.NAME": a scope that no meeting of the step's agents has.
Result<std::string> scope_of(std::string_view name);

}  // namespace muster::rendezvous
