// What a member's engine is told (events) and what it asks for (effects). Plain values. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "rendezvous/base/error.h"
#include "rendezvous/base/ids.h"
#include "rendezvous/base/result.h"
#include "rendezvous/base/time.h"
#include "rendezvous/handshake.h"
#include "rendezvous/messages.h"
#include "rendezvous/server_events.h"  // SendFrame, CloseConnection, Note
#include "rendezvous/types.h"

namespace muster::rendezvous {

struct MemberEngineOptions {
  Incarnation incarnation;
  MemberDescription self;
  // Where the coordinator may run, the first one first; the place is the epoch. At least one, at
  // most kMaxSuccessors.
  std::vector<NodeIndex> successors = {NodeIndex{}};
  // This member's place among them, when its process can be the coordinator.
  std::optional<std::uint32_t> place;
  AuthenticationMethod method = AuthenticationMethod::kMunge;
  std::string key;            // for kKey
  std::string session;        // kSessionSize random bytes, chosen once
  bool wants_members = true;  // the list of the roster's members, not only its digest
  Duration deadline = std::chrono::minutes(10);
  Duration silent_after = std::chrono::seconds(6);
};

Status check_options(const MemberEngineOptions& options);

// --- Operations: store and collectives
// -------------------------------------------------------------

namespace operation {

struct Set {
  std::string key;
  std::string value;
};

struct Get {
  std::string key;
};

struct Wait {
  std::vector<std::string> keys;
};

struct Add {
  std::string key;
  std::int64_t delta = 0;
};

struct Barrier {
  std::string name;
};

struct AllGather {
  std::string name;
  std::string bytes;
};

struct Broadcast {
  std::string name;
  MemberIndex root{};
  std::string bytes;
};

}  // namespace operation

using Operation = std::variant<operation::Set, operation::Get, operation::Wait, operation::Add,
                               operation::Barrier, operation::AllGather, operation::Broadcast>;

// set, wait, barrier: nothing. get, broadcast: string. add: number. all_gather: strings.
using OperationValue =
    std::variant<std::monostate, std::string, std::int64_t, std::vector<std::string>>;

// --- Events --------------------------------------------------------------------------------------

namespace member_event {

// A candidate answered the connect. The member has several at a time while it searches.
struct Connected {
  ConnectionId connection{};
  Endpoint server;            // as it was connected to; empty in the same process
  std::string local_address;  // our end, numeric; "" in the same process
  std::string nonce;          // kNonceSize fresh random bytes
  std::string key;            // kDigestSize fresh random bytes, for the credential
  bool same_process = false;  // a descriptor of Server::connect_local(): no proof
  std::uint32_t place = 0;    // the successor at whose node this is
};

// A round of the search is over. By place the successors whose kernel answers, and says at every
// port that nobody listens there; the own one is never among them. And the ports that answered
// before and refuse now.
struct SearchedRound {
  std::vector<std::uint32_t> closed;
  std::vector<Endpoint> shut;
};

struct Received {
  ConnectionId connection{};
  std::string_view bytes;
};

// As on the server's side.
struct Disconnected {
  ConnectionId connection{};
  std::string detail;
};

struct Stalled {
  ConnectionId connection{};
  std::string detail;
};

// Answers EncodeCredential.
struct CredentialEncoded {
  ConnectionId connection{};
  Result<std::string> credential;
};

// The search can never succeed: no name resolves, no address is left. Ends the session before the
// roster; ignored afterwards.
struct SearchFailed {
  Error error;
};

struct Tick {};

// Commands of the application.
struct Send {
  std::string bytes;
};

struct Start {
  RequestId request{};  // chosen by the shell, never reused
  Operation operation;
  Duration timeout{};
};

struct LeaveMeeting {
  Duration timeout{};
};

}  // namespace member_event

using MemberEvent =
    std::variant<member_event::Connected, member_event::Received, member_event::Disconnected,
                 member_event::Stalled, member_event::SearchedRound,
                 member_event::CredentialEncoded, member_event::SearchFailed, member_event::Tick,
                 member_event::Send, member_event::Start, member_event::LeaveMeeting>;

// --- Effects: these, and SendFrame, CloseConnection, Note
// ------------------------------------------

namespace member_effect {

// Connect to the first successor's candidates, or to those of all, round after round with a pause,
// until StopSearch. Comes again when that changes. A coordinator also looks for rivals.
struct Search {
  bool all_successors = false;
};

struct StopSearch {};

// Open a server here, with these options, and connect to it (Connected::same_process). Not answered
// when that fails: the owner ends the session.
struct TakeRole {
  std::uint32_t epoch = 0;
  std::optional<NodeIndex> lost_node;  // of the coordinator before
};

// For our own server: server_event::RivalMet.
struct RivalMet {
  std::uint32_t epoch = 0;
};

// Wrap `payload` in a munge credential that only our own uid can open.
struct EncodeCredential {
  ConnectionId connection{};
  std::string payload;
};

struct RosterCommitted {
  Roster roster;
  ConnectionId connection{};  // the one to the coordinator
  std::string local_address;  // its numeric ends; "" in the same process
  std::string server_address;
};

struct MessageArrived {
  std::string bytes;
};

struct CoordinatorSilent {
  bool silent = false;
};

// Exactly once for every Start.
struct Completed {
  RequestId request{};
  Result<OperationValue> result;
};

// Once for LeaveMeeting; nothing follows but CloseConnection.
struct LeftMeeting {
  Status status;
};

// The session is over; the last effect, except CloseConnection. Never after LeftMeeting.
struct Closed {
  Error error;
  bool by_coordinator = false;  // the error is the coordinator's own word
};

}  // namespace member_effect

using MemberEffect =
    std::variant<SendFrame, CloseConnection, Note, member_effect::Search, member_effect::StopSearch,
                 member_effect::TakeRole, member_effect::RivalMet, member_effect::EncodeCredential,
                 member_effect::RosterCommitted, member_effect::MessageArrived,
                 member_effect::CoordinatorSilent, member_effect::Completed,
                 member_effect::LeftMeeting, member_effect::Closed>;

using MemberEffects = std::vector<MemberEffect>;

}  // namespace muster::rendezvous
