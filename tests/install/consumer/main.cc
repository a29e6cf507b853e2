// A program outside the build tree: a group of one, which the library serves and leaves.
#include <unistd.h>

#include <cstdio>

#include "rendezvous/group.h"
#include "rendezvous/ports.h"

int main() {
  using namespace muster;
  rendezvous::JoinOptions options;
  options.incarnation.job = static_cast<std::uint64_t>(::getpid());
  options.expected = {{NodeIndex{0}, LocalTask{0}, "localhost"}};
  options.self.host = "localhost";
  options.coordinator_hosts = {"127.0.0.1"};
  options.ports = rendezvous::candidate_ports(options.incarnation, {});
  options.host_server = true;
  options.authentication.method = rendezvous::AuthenticationMethod::kKey;
  options.authentication.key = "0123456789abcdef";
  options.deadline = std::chrono::seconds(20);
  Result<rendezvous::Group> group = rendezvous::Group::join(options);
  if (!group) {
    std::fprintf(stderr, "%s\n", group.error().message().c_str());
    return 1;
  }
  const Duration patience = std::chrono::seconds(5);
  if (!group->set("key", "value", patience)) return 2;
  const Result<std::string> value = group->get("key", patience);
  if (!value || *value != "value") return 3;
  if (!group->barrier(patience)) return 4;
  std::printf("rank %u of %zu\n", value_of(group->index()), group->size());
  return group->leave(patience) ? 0 : 5;
}
