// Messages: all that members and coordinator say to each other. Plain values, encode, parse. Pure.
//
// PROTOCOL.md is the page for people; the grammar there and the structs here stand in the same
// order. Parsing never acts: bytes in, a message or kProtocol out. The encoding is canonical: what
// parses is what encoding the result gives again, byte for byte (the proofs rely on it).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "rendezvous/base/error.h"
#include "rendezvous/base/ids.h"
#include "rendezvous/base/result.h"
#include "rendezvous/doubt.h"
#include "rendezvous/frame.h"
#include "rendezvous/seat_set.h"
#include "rendezvous/types.h"

namespace muster::rendezvous {

inline constexpr std::uint32_t kGreetingMagic = 0x5254534d;  // "MSTR"
inline constexpr std::size_t kNonceSize = 32;
inline constexpr std::size_t kSessionSize = 16;
inline constexpr std::size_t kRosterDigestSize = 32;
inline constexpr std::size_t kMaxScope = 64;
inline constexpr std::size_t kMaxHost = 255;
inline constexpr std::size_t kMaxAddress = 64;
inline constexpr std::size_t kMaxFacts = 64u << 10;
inline constexpr std::size_t kMaxProof = 4096;  // a munge credential, or a digest
inline constexpr std::size_t kMaxText = 4096;   // reasons and error texts
inline constexpr std::size_t kMaxKey = 1024;    // keys of the store, names of collectives
inline constexpr std::size_t kMaxValue = 1u << 20;
inline constexpr std::size_t kMaxMessage = 1u << 20;
inline constexpr std::uint32_t kMaxMembers = 65536;
inline constexpr std::uint32_t kMaxKeysPerWait = 1024;
inline constexpr std::uint32_t kMaxMissingNamed = 64;
inline constexpr std::uint32_t kMaxAcknowledged = 8;  // one for each successor
inline constexpr std::uint32_t kMaxLost = 8;          // the same
inline constexpr std::size_t kMaxSeatBytes = kMaxMembers / 8;

// The number that names one operation of one member; chosen by the member, never reused by it.
enum class RequestId : std::uint64_t {};

// --- Handshake -----------------------------------------------------------------------------------

// The server's first words, in clear.
struct Greeting {
  Incarnation incarnation;
  NodeIndex node{};
  std::uint32_t epoch = 0;  // how often the role of coordinator has moved; 0 with the first
  AuthenticationMethod method = AuthenticationMethod::kMunge;
  std::string nonce;  // kNonceSize bytes, fresh for this connection

  bool operator==(const Greeting&) const = default;
};

struct Join {
  MemberDescription self;
  std::string session;  // kSessionSize bytes, the same for all connections of one session
  std::string nonce;    // kNonceSize bytes, fresh for this connection
  // Of each epoch the newest roster this member acknowledged; oldest first, none twice.
  std::vector<Acknowledged> acknowledged;
  // Where this member has seen a coordinator, or what may have been one, and has seen it go.
  std::vector<NodeIndex> lost;
  bool wants_members = true;  // the roster's list, after each prepare
  std::string proof;          // see handshake.h

  bool operator==(const Join&) const = default;
};

struct Welcome {
  MemberIndex index{};
  std::uint32_t expected = 0;  // how many members the roster will have
  std::string proof;

  bool operator==(const Welcome&) const = default;
};

// A reason why this joiner can never be a member. Final for the joiner only with a valid proof.
struct Refused {
  ErrorCode code = ErrorCode::kPermissionDenied;
  std::string reason;
  std::string proof;

  bool operator==(const Refused&) const = default;
};

// --- Membership ----------------------------------------------------------------------------------

// The roster that shall become the frame's generation, by its digest: what all receive is small.
struct Prepare {
  NodeIndex coordinator_node{};
  std::uint32_t epoch = 0;
  SeatSet seats;  // who of the expected is in it
  std::string coordinator_address;
  std::uint32_t members = 0;
  std::string digest;  // kRosterDigestSize bytes: SHA-256 of the body of the members message

  bool operator==(const Prepare&) const = default;
};

// The list itself, after its prepare, for those who want it. A member's place is its index.
struct Members {
  std::vector<Member> members;

  bool operator==(const Members&) const = default;
};

struct Ack {  // the member knows the roster of the frame's generation; holds it, if it wants it
  bool operator==(const Ack&) const = default;
};

struct Commit {  // every member acknowledged the frame's generation
  bool operator==(const Commit&) const = default;
};

struct Ping {  // nothing else was sent for kPingInterval
  bool operator==(const Ping&) const = default;
};

struct Leave {
  bool operator==(const Leave&) const = default;
};

struct Left {  // the answer to Leave
  bool operator==(const Left&) const = default;
};

// The coordinator ends the meeting for this member, and why.
struct Closing {
  ErrorCode code = ErrorCode::kCancelled;
  std::string reason;

  bool operator==(const Closing&) const = default;
};

// --- Application ---------------------------------------------------------------------------------

struct ApplicationMessage {  // either way
  std::string bytes;

  bool operator==(const ApplicationMessage&) const = default;
};

// --- Store ---------------------------------------------------------------------------------------

struct SetRequest {
  RequestId request{};
  std::string key;
  std::string value;

  bool operator==(const SetRequest&) const = default;
};

struct GetRequest {  // answered when the key exists
  RequestId request{};
  std::string key;

  bool operator==(const GetRequest&) const = default;
};

struct WaitRequest {  // answered when all keys exist
  RequestId request{};
  std::vector<std::string> keys;

  bool operator==(const WaitRequest&) const = default;
};

struct AddRequest {  // the value is a decimal number; an absent one counts as 0
  RequestId request{};
  std::string key;
  std::int64_t delta = 0;

  bool operator==(const AddRequest&) const = default;
};

struct CancelRequest {  // no answer is wanted any more
  RequestId request{};

  bool operator==(const CancelRequest&) const = default;
};

struct DoneReply {  // of set and wait
  RequestId request{};

  bool operator==(const DoneReply&) const = default;
};

struct ValueReply {  // of get
  RequestId request{};
  std::string value;

  bool operator==(const ValueReply&) const = default;
};

struct NumberReply {  // of add
  RequestId request{};
  std::int64_t number = 0;

  bool operator==(const NumberReply&) const = default;
};

struct FailedReply {  // of any of them
  RequestId request{};
  ErrorCode code = ErrorCode::kInvalidArgument;
  std::string reason;

  bool operator==(const FailedReply&) const = default;
};

// --- Collectives: matched by name, answered with one frame for all
// ---------------------------------

enum class CollectiveKind : std::uint8_t { kBarrier = 1, kAllGather = 2, kBroadcast = 3 };

std::string_view to_string(CollectiveKind kind);

struct Arrive {
  CollectiveKind kind = CollectiveKind::kBarrier;
  std::string name;
  MemberIndex root{};  // of a broadcast
  std::string bytes;   // of a gather, and of a broadcast's root

  bool operator==(const Arrive&) const = default;
};

struct GiveUp {  // this member's time is over; the collective fails for all
  std::string name;

  bool operator==(const GiveUp&) const = default;
};

struct AskMissing {
  std::string name;

  bool operator==(const AskMissing&) const = default;
};

struct Missing {  // who has not arrived: how many, and the first kMaxMissingNamed of them
  std::string name;
  std::uint32_t count = 0;
  std::vector<std::string> first;  // their names: the asker may have no list

  bool operator==(const Missing&) const = default;
};

// Barrier: no values. Gather: one per member, in their order. Broadcast: the root's.
struct CollectiveDone {
  std::string name;
  std::vector<std::string> values;

  bool operator==(const CollectiveDone&) const = default;
};

struct CollectiveFailed {
  std::string name;
  ErrorCode code = ErrorCode::kUnavailable;
  std::string reason;

  bool operator==(const CollectiveFailed&) const = default;
};

using Message =
    std::variant<Greeting, Join, Welcome, Refused, Prepare, Members, Ack, Commit, Ping, Leave, Left,
                 Closing, ApplicationMessage, SetRequest, GetRequest, WaitRequest, AddRequest,
                 CancelRequest, DoneReply, ValueReply, NumberReply, FailedReply, Arrive, GiveUp,
                 AskMissing, Missing, CollectiveDone, CollectiveFailed>;

// A frame, shared by all its receivers.
using FrameBytes = std::shared_ptr<const std::string>;

// The whole frame. The fields must keep their limits (checked where a caller can break them).
std::string encode(const Message& message, Generation generation);
FrameBytes encode_shared(const Message& message, Generation generation);
// The same for a body that is encoded already.
FrameBytes encode_shared_members(std::string_view body, Generation generation);

// kProtocol names the message and what is wrong with it.
Result<Message> parse(const Frame& frame);

// The body of a message as the proofs see it; Join without its proof.
std::string encode_body_for_proof(const Greeting& greeting);
std::string encode_body_for_proof(const Join& join);

// The body of Members, which is what a roster's digest is made of.
std::string encode_body(const Members& members);

// The name of a message in logs and notes: "greeting", "join" ...
std::string_view name_of(const Message& message);

}  // namespace muster::rendezvous
