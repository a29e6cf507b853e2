// The environment that a job gets from its machine's profile: only what is known to help, never
// over a value of the user's. Pure.
#pragma once

#include <string>
#include <vector>

#include "collectives-bench/profile/profile.h"
#include "rendezvous/base/environment.h"

namespace muster::bench {

struct JobEnvironment {
  std::vector<EnvironmentSetting> added;  // to set for the program
  // One line each, to print: what was set and why, where the user's value was kept, and which of
  // the user's values is known to do nothing or harm.
  std::vector<std::string> lines;
};

JobEnvironment choose_job_environment(const Profile& profile, const Environment& user);

// Why nobody should set this variable any more on EFA; "" for all others. Profiles may not.
std::string_view why_obsolete(std::string_view variable);

}  // namespace muster::bench
