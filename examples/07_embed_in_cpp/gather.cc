// A C++ program that is its own launcher: the parent prepares a group and starts its members, which
// join it and gather a line of each.
//
//   gather 4        starts 4 copies of itself
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "rendezvous/group.h"
#include "rendezvous/ports.h"

namespace {

using namespace muster;
using rendezvous::Group;
using rendezvous::JoinOptions;

constexpr int kMostMembers = 64;  // processes of this one machine
constexpr Duration kPatience = std::chrono::seconds(30);

int stop(const Error& error) {
  std::fprintf(stderr, "gather: %s\n", error.message().c_str());
  return 1;
}

int run_member(const JoinOptions& options) {
  Result<Group> group = Group::join(options);
  if (!group) return stop(group.error());

  const std::string line = "rank " + std::to_string(value_of(group->index())) + " is process " +
                           std::to_string(::getpid());
  const Result<std::vector<std::string>> lines = group->all_gather(line, kPatience);
  if (!lines) return stop(lines.error());
  if (value_of(group->index()) == 0) {
    for (const std::string& each : *lines) std::puts(each.c_str());
  }
  const Status left = group->leave(kPatience);
  return left ? 0 : stop(left.error());
}

// A group on this machine, with a secret that only the members get.
JoinOptions new_group(std::uint32_t size) {
  std::random_device random;
  JoinOptions options;
  options.incarnation.job = static_cast<std::uint64_t>(::getpid());
  options.incarnation.scope = "gather";
  for (std::uint32_t task = 0; task < size; ++task)
    options.expected.push_back({NodeIndex{0}, LocalTask{task}, "localhost"});
  options.self.host = "localhost";
  options.coordinator_hosts = {"127.0.0.1"};
  options.ports = rendezvous::candidate_ports(options.incarnation, {});
  options.authentication.method = rendezvous::AuthenticationMethod::kKey;
  for (int i = 0; i < 32; ++i) options.authentication.key += static_cast<char>(random());
  options.deadline = kPatience;
  return options;
}

pid_t start_member(const char* program, const JoinOptions& options) {
  Environment environment = Environment::from_block(::environ);
  const Environment group = rendezvous::group_environment(options);
  for (const auto& [name, value] : group.variables()) environment.set(name, value);
  std::vector<std::string> texts = environment.to_strings();
  std::vector<char*> block;
  for (std::string& text : texts) block.push_back(text.data());
  block.push_back(nullptr);
  std::string name(program);
  char* const arguments[] = {name.data(), nullptr};
  pid_t pid = -1;
  return ::posix_spawnp(&pid, program, nullptr, nullptr, arguments, block.data()) == 0 ? pid : -1;
}

int run_parent(const char* program, std::uint32_t size) {
  JoinOptions options = new_group(size);
  std::vector<pid_t> members;
  for (std::uint32_t task = 0; task < size; ++task) {
    options.self.task = LocalTask{task};
    options.host_server = task == 0;
    members.push_back(start_member(program, options));
  }
  int worst = 0;
  for (const pid_t member : members) {
    int status = 1;
    if (member > 0) ::waitpid(member, &status, 0);
    if (status != 0) worst = 1;
  }
  return worst;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 2) {
    const int size = std::atoi(argv[1]);
    if (size >= 1 && size <= kMostMembers) {
      return run_parent(argv[0], static_cast<std::uint32_t>(size));
    }
    std::fprintf(stderr, "gather: '%s' members; write a number from 1 to %d\n", argv[1],
                 kMostMembers);
    return 2;
  }
  Result<JoinOptions> options = rendezvous::join_options_from(Environment::from_block(::environ));
  return options ? run_member(*options) : stop(options.error());
}
