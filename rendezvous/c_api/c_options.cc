#include "rendezvous/c_api/c_options.h"

#include <algorithm>
#include <cstring>

#include "rendezvous/authentication.h"
#include "rendezvous/c_api/environment_join.h"
#include "rendezvous/messages.h"
#include "rendezvous/ports.h"

namespace muster::rendezvous {

namespace {

constexpr std::size_t kLargestStruct = 4096;
constexpr std::uint32_t kMaxHosts = 64;
constexpr std::size_t kMaxPorts = 1024;

Error wrong(std::string text) {
  return Error(ErrorCode::kInvalidArgument, std::move(text));
}

Status check_present(const char* name, const void* pointer, std::size_t size) {
  if (pointer != nullptr || size == 0) return {};
  return failure(wrong(std::string(name) + " is NULL, but its size is " + std::to_string(size)));
}

Status check_layout(const muster_join_options& given) {
  if (given.members_per_node == nullptr || given.nodes == 0)
    return failure(wrong("members_per_node is empty; expected one number for each node"));
  std::uint64_t total = 0;
  for (std::uint32_t node = 0; node < given.nodes; ++node) {
    total += given.members_per_node[node];
    if (total > kMaxMembers)
      return failure(ErrorCode::kLimit,
                     "members_per_node counts more than " + std::to_string(kMaxMembers));
  }
  if (given.members_per_node[0] == 0)
    return failure(wrong("members_per_node[0] is 0, but node 0 serves the group"));
  if (given.node >= given.nodes)
    return failure(wrong("node is " + std::to_string(given.node) + ", expected 0 to " +
                         std::to_string(given.nodes - 1)));
  const std::uint32_t here = given.members_per_node[given.node];
  if (given.local_rank >= here)
    return failure(wrong("local_rank is " + std::to_string(given.local_rank) + ", but node " +
                         std::to_string(given.node) + " has " + std::to_string(here) +
                         (here == 1 ? " member" : " members")));
  return {};
}

Status check_places(const muster_join_options& given) {
  if (given.hosts == nullptr || given.host_count == 0)
    return failure(wrong("hosts is empty; expected a name or address of node 0"));
  if (given.host_count > kMaxHosts || given.port_count > kMaxPorts)
    return failure(ErrorCode::kLimit, "at most " + std::to_string(kMaxHosts) + " hosts and " +
                                          std::to_string(kMaxPorts) + " ports are taken");
  for (std::uint32_t i = 0; i < given.host_count; ++i) {
    if (given.hosts[i] == nullptr || *given.hosts[i] == '\0' ||
        ::strnlen(given.hosts[i], kMaxHost + 1) > kMaxHost)
      return failure(wrong("hosts[" + std::to_string(i) + "] is no name or address"));
  }
  MUSTER_RETURN_IF_ERROR(check_present("ports", given.ports, given.port_count));
  if (std::find(given.ports, given.ports + given.port_count, 0) != given.ports + given.port_count)
    return failure(wrong("a port is 0, expected 1 to 65535"));
  return {};
}

Result<Authentication> proof_of(const muster_join_options& given, const Environment& environment) {
  if (given.key == nullptr)
    return choose_authentication(environment, find_authentication_facts(environment));
  if (given.key_size < kMinKeyBytes)
    return failure(wrong("the key has " + std::to_string(given.key_size) +
                         " bytes, expected at least " + std::to_string(kMinKeyBytes)));
  Authentication proof;
  proof.method = AuthenticationMethod::kKey;
  proof.key.assign(static_cast<const char*>(given.key), given.key_size);
  return proof;
}

JoinOptions layout_of(const muster_join_options& given) {
  JoinOptions options;
  options.self.node = NodeIndex{given.node};
  options.self.task = LocalTask{given.local_rank};
  for (std::uint32_t node = 0; node < given.nodes; ++node) {
    for (std::uint32_t task = 0; task < given.members_per_node[node]; ++task)
      options.expected.push_back({NodeIndex{node}, LocalTask{task}, "node" + std::to_string(node)});
  }
  options.coordinator_hosts.assign(given.hosts, given.hosts + given.host_count);
  options.ports.assign(given.ports, given.ports + given.port_count);
  options.host_server = given.node == 0 && given.local_rank == 0;
  return options;
}

}  // namespace

Status check_struct_size(const char* what, const void* given, std::size_t struct_size,
                         std::size_t known) {
  if (struct_size < known || struct_size > kLargestStruct)
    return failure(wrong(std::string(what) + ".struct_size is " + std::to_string(struct_size) +
                         ", expected sizeof(" + what + "), " + std::to_string(known)));
  const char* const bytes = static_cast<const char*>(given);
  if (std::all_of(bytes + known, bytes + struct_size, [](char byte) { return byte == 0; }))
    return {};
  return failure(ErrorCode::kUnsupported,
                 std::string(what) + " asks for something that only a newer library knows");
}

Result<JoinOptions> join_options_of(const muster_join_options* given, const std::string& own_host,
                                    const Environment& environment) {
  if (given == nullptr) return failure(wrong("options is NULL"));
  MUSTER_RETURN_IF_ERROR(
      check_struct_size("muster_join_options", given, given->struct_size, sizeof(*given)));
  MUSTER_RETURN_IF_ERROR(check_layout(*given));
  MUSTER_RETURN_IF_ERROR(check_places(*given));
  MUSTER_RETURN_IF_ERROR(check_present("key", given->key, given->key_size));
  MUSTER_TRY(scope, scope_of(given->name == nullptr ? "" : given->name));
  JoinOptions options = layout_of(*given);
  options.incarnation = {given->job, given->step, given->restart_count, std::move(scope)};
  options.self.host = own_host;
  if (given->ports == nullptr) options.ports = candidate_ports(options.incarnation, {});
  MUSTER_TRY(proof, proof_of(*given, environment));
  options.authentication = std::move(proof);
  return options;
}

}  // namespace muster::rendezvous
