// What the server's engine is told (events) and what it asks for (effects). Plain values. Pure.
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
#include "rendezvous/types.h"

namespace muster::rendezvous {

struct ServerEngineOptions {
  Incarnation incarnation;
  NodeIndex node{};
  std::uint32_t epoch = 0;
  Generation last_generation{};          // what was committed before; the first roster is the next
  std::vector<ExpectedMember> expected;  // at most kMaxMembers, no (node, task) twice
  // Fewer nodes than these never make a roster; 0 for all. See Attendance.
  std::uint32_t minimum_nodes = 0;
  Duration last_call = std::chrono::seconds(30);  // from enough nodes to doing without the rest
  std::optional<NodeIndex> lost_node;             // of the coordinator whose role this one took
  AuthenticationMethod method = AuthenticationMethod::kMunge;
  std::string key;        // for kKey
  std::uint32_t uid = 0;  // the only one whose munge credentials are taken
  Duration assembly_deadline = std::chrono::minutes(10);
  Duration progress_interval = std::chrono::seconds(15);
  Duration suspect_after = std::chrono::seconds(6);
};

// Ok, or kInvalidArgument with what to write instead. The engine requires options that pass.
Status check_options(const ServerEngineOptions& options);

// What munge says of a credential.
struct DecodedCredential {
  std::uint32_t uid = 0;
  std::string payload;
};

// --- Events --------------------------------------------------------------------------------------

namespace server_event {

struct Accepted {
  ConnectionId connection{};
  std::string nonce;           // kNonceSize fresh random bytes
  Endpoint local;              // our end, as the kernel gives it; empty for connect_local()
  std::string remote_address;  // numeric; "" for connect_local()
  bool same_process = false;   // connect_local(): proven by construction
};

struct Received {
  ConnectionId connection{};
  std::string_view bytes;
};

// The peer closed, or the connection broke. After this the shell has forgotten the connection; no
// CloseConnection follows.
struct Disconnected {
  ConnectionId connection{};
  std::string detail;  // "connection reset by peer"
};

// The kernel gave up: data unacknowledged for lost_after (TCP_USER_TIMEOUT, TCP_INFO). The engine
// answers with CloseConnection.
struct Stalled {
  ConnectionId connection{};
  std::string detail;  // "10 s without acknowledgement"
};

// Answers DecodeCredential; for a connection closed meanwhile it is ignored.
struct CredentialDecoded {
  ConnectionId connection{};
  Result<DecodedCredential> credential;
};

// The time next_deadline() named has come (or later, or earlier: both are harmless).
struct Tick {};

// Commands of the application.
struct SendTo {
  MemberIndex to{};
  std::string bytes;
};

struct SendToAll {
  std::string bytes;
};

struct Close {
  std::string reason;
};

// Nobody can be accepted for want of file descriptors.
struct OutOfDescriptors {};

// Our own member met a coordinator of this epoch at another successor's place, which has proven
// itself.
struct RivalMet {
  std::uint32_t epoch = 0;
};

}  // namespace server_event

using ServerEvent =
    std::variant<server_event::Accepted, server_event::Received, server_event::Disconnected,
                 server_event::Stalled, server_event::CredentialDecoded, server_event::Tick,
                 server_event::SendTo, server_event::SendToAll, server_event::Close,
                 server_event::OutOfDescriptors, server_event::RivalMet>;

// --- Effects -------------------------------------------------------------------------------------

struct SendFrame {
  ConnectionId connection{};
  FrameBytes bytes;
};

// Send what is queued (within a short limit of the shell's), then close. The engine has forgotten
// the connection; later events about it are ignored.
struct CloseConnection {
  ConnectionId connection{};
};

struct DecodeCredential {
  ConnectionId connection{};
  std::string credential;
};

struct Note {
  std::string line;
};

namespace server_effect {

struct Assembled {
  Roster roster;
};

struct AssemblyProgress {
  std::vector<ExpectedMember> missing;
  Duration waited{};
};

struct AssemblyFailed {
  Error error;
};

// Another coordinator has the role: all connections are closed, the members search again. The last
// effect; a later server of this process counts generations up from the last one of this.
struct Yielded {};

struct MessageArrived {
  MemberIndex from{};
  std::string bytes;
};

// Told when a member becomes silent, then every progress_interval while it stays so.
struct MemberSuspect {
  MemberIndex member{};
  Duration silent{};
};

struct MemberLost {
  MemberIndex member{};
  bool unacknowledged = false;  // its kernel does not answer either (LossKind::kSilent)
  std::string detail;
};

struct MemberLeft {
  MemberIndex member{};
};

}  // namespace server_effect

using ServerEffect = std::variant<SendFrame, CloseConnection, DecodeCredential, Note,
                                  server_effect::Assembled, server_effect::AssemblyProgress,
                                  server_effect::AssemblyFailed, server_effect::Yielded,
                                  server_effect::MessageArrived, server_effect::MemberSuspect,
                                  server_effect::MemberLost, server_effect::MemberLeft>;

using ServerEffects = std::vector<ServerEffect>;

}  // namespace muster::rendezvous
