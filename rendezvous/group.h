// Group: rendezvous for programs that want plain blocking calls. Owns its loop; starts no thread.
//
// Member 0 of a group that was given no coordinator starts the server as a process of its own
// (`muster-rendezvous serve`), which ends with it: so the server answers while member 0 computes.
// Every call blocks at most its timeout. Not thread-safe: one thread uses a Group.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "rendezvous/base/environment.h"
#include "rendezvous/base/result.h"
#include "rendezvous/base/time.h"
#include "rendezvous/types.h"

namespace muster::rendezvous {

struct JoinOptions {
  Incarnation incarnation;
  MemberDescription self;
  std::vector<ExpectedMember> expected;        // place in the list = rank
  std::vector<std::string> coordinator_hosts;  // names or numeric addresses of member 0's host
  std::vector<std::uint16_t> ports;
  bool host_server = false;  // true for the one member that starts the server
  Authentication authentication;
  Duration deadline = std::chrono::minutes(10);
};

// A group that a parent prepared for its children travels in MUSTER_GROUP_* variables.
Environment group_environment(const JoinOptions& options);
// kNotFound when MUSTER_GROUP_ID is absent; kInvalidArgument names the broken variable.
Result<JoinOptions> join_options_from(const Environment& environment);

class Group {
 public:
  // Blocks until the roster is complete or `options.deadline` passed (the missing are named).
  static Result<Group> join(const JoinOptions& options);
  Group(Group&&) noexcept;
  Group& operator=(Group&&) noexcept;
  ~Group();  // leaves in haste if leave() was not called

  MemberIndex index() const;
  std::size_t size() const;
  const Roster& roster() const;

  Status set(const std::string& key, std::string value, Duration timeout);
  Result<std::string> get(const std::string& key, Duration timeout);
  Status wait(const std::vector<std::string>& keys, Duration timeout);
  Result<std::int64_t> add(const std::string& key, std::int64_t delta, Duration timeout);
  Status barrier(Duration timeout);
  Result<std::vector<std::string>> all_gather(std::string bytes, Duration timeout);
  Result<std::string> broadcast(MemberIndex root, std::string bytes, Duration timeout);
  Status leave(Duration timeout);

 private:
  struct State;
  explicit Group(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace muster::rendezvous
