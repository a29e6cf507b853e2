// muster_join_options, checked and made into the C++ form. Reads memory of the caller; else pure.
#pragma once

#include <string>

#include "rendezvous/base/environment.h"
#include "rendezvous/base/result.h"
#include "rendezvous/c_api/muster_rendezvous.h"
#include "rendezvous/group.h"

namespace muster::rendezvous {

// `own_host` is what others read as this member's host. The environment chooses the proof where
// `given` has no key; MUSTER_KEY_FILE is then read.
Result<JoinOptions> join_options_of(const muster_join_options* given, const std::string& own_host,
                                    const Environment& environment);

// A struct of the caller's, larger than `known`, may only hold zeros beyond what this version
// knows: else it asks for something that would silently not be done.
Status check_struct_size(const char* what, const void* given, std::size_t struct_size,
                         std::size_t known);

}  // namespace muster::rendezvous
