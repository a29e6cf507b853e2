// Which proof the members of a job use, from the environment and what a node has.
//
// The choice must come out the same on all nodes. The environment is the same everywhere, a munge
// socket may be missing in one container: so what the user set counts before what a node has. The
// server names its method in its greeting; a joiner with another one is told so.
#pragma once

#include <optional>
#include <string>

#include "rendezvous/base/environment.h"
#include "rendezvous/base/result.h"
#include "rendezvous/types.h"

namespace muster::rendezvous {

inline constexpr std::size_t kMinKeyBytes = 16;
inline constexpr std::size_t kMaxKeyFileBytes = 4096;
inline constexpr const char* kDefaultMungeSocket = "/run/munge/munge.socket.2";

struct AuthenticationFacts {
  bool munge_is_built_in = false;
  bool munge_socket_exists = false;             // at munge_socket_path()
  std::optional<Result<std::string>> key_file;  // what is in $MUSTER_KEY_FILE; unset: nothing
};

// $MUNGE_SOCKET or munge's default.
std::string munge_socket_path(const Environment& environment);

// Pure. MUSTER_KEY_FILE, else MUSTER_TOKEN, else munge; else kUnavailable with the line to put into
// the batch script.
Result<Authentication> choose_authentication(const Environment& environment,
                                             const AuthenticationFacts& facts);

// Looks at the node: a stat, and a small read where MUSTER_KEY_FILE is set (it may block on a
// shared file system). The key file must belong to us and be closed to others (0600).
AuthenticationFacts find_authentication_facts(const Environment& environment);

}  // namespace muster::rendezvous
