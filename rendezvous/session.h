// Session: a member's half of a rendezvous, without blocking. A shell; runs on the caller's loop.
//
// Finds the coordinator (walks addresses and ports in parallel), proves itself, joins, waits for
// the roster, then carries messages and store operations until it leaves or loses the coordinator.
// Programs that want a blocking call use Group instead.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rendezvous/base/asio.h"
#include "rendezvous/base/fd.h"
#include "rendezvous/base/result.h"
#include "rendezvous/base/time.h"
#include "rendezvous/types.h"

namespace muster::rendezvous {

struct SessionOptions {
  Incarnation incarnation;
  MemberDescription self;
  // Names or numeric addresses of the coordinator's host. Names are looked up in a child process.
  std::vector<std::string> coordinator_hosts;
  NodeIndex coordinator_node{};
  std::vector<std::uint16_t> ports;
  Authentication authentication;
  Duration deadline = std::chrono::minutes(10);  // for the whole join, roster included
  Duration silent_after = std::chrono::seconds(6);
  Duration lost_after = std::chrono::seconds(10);
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
};

template <class T>
using Completion = std::function<void(Result<T>)>;

class Session {
 public:
  // Starts at once; callbacks come from the loop.
  static std::unique_ptr<Session> join(asio::io_context& loop, SessionOptions options,
                                       SessionObserver& observer);
  // The same over a descriptor from Server::connect_local().
  static std::unique_ptr<Session> join_local(asio::io_context& loop, SessionOptions options,
                                             Fd connection, SessionObserver& observer);
  virtual ~Session() = default;

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
