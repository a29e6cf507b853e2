// Server: the coordinator's half of a rendezvous. A shell around the pure engine.
//
// Opens the first free port of a list, proves joiners, assembles the expected members into a
// roster, serves the key-value store, barriers and gathers, carries the application's messages, and
// watches its members. Everything runs on the io_context of the caller, which owns it; nothing
// blocks; all callbacks come from the loop, never from inside a call. Libraries do not log: remarks
// worth a line ("refused 10.0.0.9: wrong job") go to ServerObserver::on_note.
#pragma once

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

struct ServerOptions {
  Incarnation incarnation;
  NodeIndex node{};  // where this server runs; told in clear to whoever connects
  std::vector<ExpectedMember> expected;  // all who must come, the server's own process included
  // Fewer nodes than these never make a roster; 0 for all. Never less than a majority of the nodes.
  std::uint32_t minimum_nodes = 0;
  Duration last_call = std::chrono::seconds(30);  // from enough nodes to doing without the rest
  std::uint32_t epoch = 0;                        // Role::epoch, for one that took the role
  std::optional<NodeIndex> lost_node;             // Role::lost_node
  // last_generation() of the server that this process had before and that yielded.
  Generation last_generation{};
  std::vector<std::uint16_t> ports;  // tried in order
  std::string bind_address;          // "" for all addresses, v6 and v4
  Authentication authentication;
  Duration assembly_deadline = std::chrono::minutes(10);
  Duration progress_interval = std::chrono::seconds(15);
  Duration suspect_after = std::chrono::seconds(6);
  Duration lost_after = std::chrono::seconds(10);
};

enum class LossKind {
  kDisconnected,  // its connection closed without a leave: the process is gone
  kSilent,        // nothing heard, and its kernel does not acknowledge either
};

struct Loss {
  MemberIndex member{};
  LossKind kind{};
  std::string detail;  // "connection reset by peer", "silent for 10 s"
};

class ServerObserver {
 public:
  virtual ~ServerObserver() = default;
  // Every expected member joined and acknowledged: the roster is committed.
  virtual void on_assembled(const Roster& roster) = 0;
  // Every progress_interval while members are missing.
  virtual void on_assembly_progress(const std::vector<ExpectedMember>& missing,
                                    Duration waited) = 0;
  // The deadline passed; the error's text names the missing. Members were told the same text.
  virtual void on_assembly_failed(const Error& error) = 0;
  // Another node has the role: every connection is closed. The owner destroys the server; its own
  // session searches again.
  virtual void on_yielded() {}
  virtual void on_message(MemberIndex from, std::string_view bytes) = 0;
  virtual void on_member_suspect(MemberIndex member, Duration silent) = 0;
  virtual void on_member_lost(const Loss& loss) = 0;
  virtual void on_member_left(MemberIndex member) = 0;
  virtual void on_note(std::string_view line) = 0;
};

class Server {
 public:
  // Binds and listens. Errors: no port of the list is free; bad options.
  static Result<std::unique_ptr<Server>> open(asio::io_context& loop, ServerOptions options,
                                              ServerObserver& observer);
  virtual ~Server() = default;

  virtual std::uint16_t port() const = 0;

  // SessionObserver::on_rival() says so; may be answered by on_yielded().
  virtual void meet_rival(std::uint32_t epoch) = 0;
  virtual Generation last_generation() const = 0;
  // After on_assembly_failed(): everybody heard why, except those of nodes that were given up.
  virtual bool has_told_all() const = 0;

  // A connected descriptor for a member in this same process: proven by construction.
  virtual Result<Fd> connect_local() = 0;

  // To the application of one member, or of all; order per member is kept; at most kMaxMessage
  // bytes.
  virtual void send(MemberIndex to, std::string bytes) = 0;
  virtual void send_to_all(std::string bytes) = 0;

  // Tells members why, flushes for at most `flush`, closes. The observer hears nothing afterwards.
  virtual void close(std::string_view reason, Duration flush) = 0;
};

}  // namespace muster::rendezvous
