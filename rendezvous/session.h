// Session: a member's half of a rendezvous, without blocking. A shell; runs on the caller's loop.
//
// Finds the coordinator (walks addresses and ports in parallel), proves itself, joins, waits for
// the roster, then carries messages and store operations until it leaves or loses the coordinator.
// Programs that want a blocking call use Group instead.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rendezvous/base/asio.h"
#include "rendezvous/base/fd.h"
#include "rendezvous/base/result.h"
#include "rendezvous/base/time.h"
#include "rendezvous/types.h"

namespace muster::rendezvous {

// A node whose lead process may be the coordinator.
struct Successor {
  NodeIndex node{};
  // Names or numeric addresses. Names are looked up in a child process.
  std::vector<std::string> hosts;
};

struct SessionOptions {
  Incarnation incarnation;
  MemberDescription self;
  // The first coordinator's node, then those which take the role when it is lost (SUCCESSION.md); 1
  // to kMaxSuccessors.
  std::vector<Successor> successors;
  // This process's place among them, when it is a lead process; then on_take_role() may be called.
  std::optional<std::uint32_t> place;
  std::vector<std::uint16_t> ports;
  Authentication authentication;
  // Without it the roster comes with its size and digest, but without the list of its members. Who
  // needs no list should not want it: thousands of members want thousands of lists of thousands.
  bool wants_members = true;
  Duration deadline = std::chrono::minutes(10);  // for the whole join, roster included
  Duration silent_after = std::chrono::seconds(6);
  Duration lost_after = std::chrono::seconds(10);
};

class SidecarPool;
// What a server needs to know when its process takes the role of coordinator.
struct Role {
  std::uint32_t epoch = 0;
  std::optional<NodeIndex> lost_node;  // where the coordinator before was
};

class SessionObserver {
 public:
  virtual ~SessionObserver() = default;
  virtual void on_roster(const Roster& roster) = 0;
  // A message of the coordinator's application.
  virtual void on_message(std::string_view bytes) = 0;
  // Nothing heard from the coordinator for `silent_after`; again false when it speaks again.
  virtual void on_coordinator_silent(bool silent) = 0;
  // The session is over: join failed, coordinator closed (its reason is the text), or lost.
  // The last callback; not called after leave() was acknowledged.
  virtual void on_closed(const Error& error) = 0;
  virtual void on_note(std::string_view line) = 0;
  // Open a Server in this process, with this role, and sit_at() it; or end the session. Before the
  // roster only. Called for a place among the successors only.
  virtual void on_take_role(const Role&) {}
  // While the own server gathers: tell it (Server::meet_rival).
  virtual void on_rival(std::uint32_t) {}
};

template <class T>
using Completion = std::function<void(Result<T>)>;

class Session {
 public:
  // Starts at once; callbacks come from the loop. `helpers` are the children for calls that may
  // hang: a process with many sessions has them share a pool that outlives them; null: its own.
  static std::unique_ptr<Session> join(asio::io_context& loop, SessionOptions options,
                                       SessionObserver& observer, SidecarPool* helpers = nullptr);
  // For the first successor, whose server is open: over a descriptor from its connect_local().
  static std::unique_ptr<Session> join_local(asio::io_context& loop, SessionOptions options,
                                             Fd connection, SessionObserver& observer);
  virtual ~Session() = default;

  // After on_take_role(): a descriptor of the own server's connect_local().
  virtual void sit_at(Fd connection) = 0;

  // Numeric addresses of the connection to the coordinator; "" before the roster and for
  // join_local.
  virtual std::string local_address() const = 0;
  virtual std::string coordinator_address() const = 0;

  // In on_closed and after: the error is what the coordinator said, and it said so to every member.
  virtual bool closed_by_coordinator() const = 0;

  // To the application of the coordinator; at most kMaxMessage bytes.
  virtual void send(std::string bytes) = 0;

  // Store and collectives; after the roster. Each completes exactly once, at the latest at its
  // timeout (kTimeout names the operation and, for barrier and gathers, the members not yet there).
  virtual void set(std::string key, std::string value, Duration timeout, Completion<void> done) = 0;
  virtual void get(std::string key, Duration timeout,
                   Completion<std::string> done) = 0;  // waits for it
  virtual void wait(std::vector<std::string> keys, Duration timeout, Completion<void> done) = 0;
  virtual void add(std::string key, std::int64_t delta, Duration timeout,
                   Completion<std::int64_t> done) = 0;
  // Collectives are matched by name; a name is used again only after the earlier one completed.
  virtual void barrier(std::string name, Duration timeout, Completion<void> done) = 0;
  virtual void all_gather(std::string name, std::string bytes, Duration timeout,
                          Completion<std::vector<std::string>> done) = 0;
  virtual void broadcast(std::string name, MemberIndex root, std::string bytes, Duration timeout,
                         Completion<std::string> done) = 0;

  // Says goodbye; `done` when the coordinator acknowledged or the timeout passed.
  virtual void leave(Duration timeout, Completion<void> done) = 0;
};

}  // namespace muster::rendezvous
