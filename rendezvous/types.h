// The values that rendezvous speaks in: who meets, where, and who came. Pure.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rendezvous/base/ids.h"

namespace muster::rendezvous {

// Which meeting this is. Slurm reuses step ids after a requeue, so the restart count belongs to it.
// `scope` tells meetings of one step apart: "" for the step's agents, "check.0" for a gang of
// theirs.
struct Incarnation {
  std::uint64_t job = 0;
  std::uint32_t step = 0;
  std::uint32_t restart_count = 0;
  std::string scope;

  bool operator==(const Incarnation&) const = default;
};

// "4242.0", "4242.0 restart 2", "4242.0 check.0".
std::string to_string(const Incarnation& incarnation);

// One that must come. The place in the list of the expected is the MemberIndex.
struct ExpectedMember {
  NodeIndex node{};
  LocalTask task{};
  std::string host;

  bool operator==(const ExpectedMember&) const = default;
};

// What a member says of itself when it joins. `facts` is opaque to rendezvous, at most kMaxFacts
// bytes.
struct MemberDescription {
  NodeIndex node{};
  LocalTask task{};
  std::string host;
  std::uint32_t pid = 0;
  std::string facts;

  bool operator==(const MemberDescription&) const = default;
};

struct Member {
  MemberIndex index{};
  MemberDescription description;
  std::string address;  // numeric, as the coordinator sees the member; "" for its own process

  bool operator==(const Member&) const = default;
};

// One membership, complete and agreed. Members in the order of MemberIndex.
struct Roster {
  Generation generation{};
  // Numeric address by which the others reach the coordinator; "127.0.0.1" when nobody is remote.
  std::string coordinator_address;
  std::vector<Member> members;  // empty for a member that did not want the list
  std::uint32_t size = 0;       // how many members there are
  std::string digest;           // SHA-256 of the list: the same for all who hold this generation

  bool operator==(const Roster&) const = default;
};

// How a joiner and the server prove to each other that they belong together.
enum class AuthenticationMethod {
  kMunge,  // a munge credential of the joiner, restricted to the job's uid
  kKey,    // HMAC with a secret that both have (a file in a shared home, MUSTER_TOKEN, a parent's
           // pipe)
  kNone,   // simulations and tests only
};

struct Authentication {
  AuthenticationMethod method = AuthenticationMethod::kMunge;
  std::string key;           // for kKey; at least 16 bytes
  std::string munge_socket;  // "" for munge's default

  bool operator==(const Authentication&) const = default;
};

}  // namespace muster::rendezvous
