// What is said about the store that rank 0's agent serves to the workers: opening it, and who owns
// a connection to it. Values and their bytes; see messages.h. Pure.
//
//   store's agent -> AskOwners -> coordinator -> FindOwners -> lead agent of the client's node
//   store's agent <- OwnersTold <- coordinator <- OwnersFound <-
//
// The coordinator knows which node has which address and keeps nothing of a question: a connection
// is known by the id that the store's agent gave it, from question to answer.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "launcher/options/options.h"
#include "rendezvous/base/bytes.h"
#include "rendezvous/base/ids.h"
#include "rendezvous/handshake.h"

namespace muster::launcher {

using options::AdmissionMode;
using rendezvous::Endpoint;

// A connection to the store, as the store's agent sees it.
struct StoreConnection {
  std::uint64_t id = 0;  // never reused in an attempt
  Endpoint client;
  Endpoint server;

  bool operator==(const StoreConnection&) const = default;
};

enum class Finding : std::uint8_t {
  kOwner = 1,         // `uid` owns it
  kNoSuchConnection,  // nobody on the client's node owns it, or not any more
  kNodeOfJob,         // it comes from a node of the step; the owner was not asked for
  kUnknownNode,       // no node of the step has that address
  kNotTold,           // the client's node cannot say
};

struct Ownership {
  std::uint64_t id = 0;
  Finding finding = Finding::kNotTold;
  std::uint32_t uid = 0;  // with kOwner

  bool operator==(const Ownership&) const = default;
};

inline constexpr std::uint32_t kMaxStoreConnections = 1024;  // in one message

// --- coordinator to agent ---------------------------------------------------------------------

// Open an empty store for this attempt, in the place of an earlier one.
struct OpenStore {
  Attempt attempt{};
  std::uint16_t port = 0;  // the user's; 0: the agent chooses
  AdmissionMode admission = AdmissionMode::kUid;

  bool operator==(const OpenStore&) const = default;
};

// The attempt is over: close its store and every connection to it. No answer.
struct CloseStore {
  Attempt attempt{};

  bool operator==(const CloseStore&) const = default;
};

struct FindOwners {
  Attempt attempt{};
  std::vector<StoreConnection> connections;

  bool operator==(const FindOwners&) const = default;
};

struct OwnersTold {
  Attempt attempt{};
  std::vector<Ownership> owners;

  bool operator==(const OwnersTold&) const = default;
};

// --- agent to coordinator ---------------------------------------------------------------------

struct StoreOpened {
  Attempt attempt{};
  std::uint16_t port = 0;
};

// It could not be opened, or nobody can reach it any more.
struct StoreFailed {
  Attempt attempt{};
  std::string text;
};

struct AskOwners {
  Attempt attempt{};
  std::vector<StoreConnection> connections;
};

struct OwnersFound {
  Attempt attempt{};
  std::vector<Ownership> owners;
};

// --- bytes, without the kind ------------------------------------------------------------------

void write(ByteWriter& writer, const OpenStore& message);
void write(ByteWriter& writer, const CloseStore& message);
void write(ByteWriter& writer, const FindOwners& message);
void write(ByteWriter& writer, const OwnersTold& message);
void write(ByteWriter& writer, const StoreOpened& message);
void write(ByteWriter& writer, const StoreFailed& message);
void write(ByteWriter& writer, const AskOwners& message);
void write(ByteWriter& writer, const OwnersFound& message);

// A value out of range makes the result kProtocol; too little or too much is found by the caller's
// reader.finish().
Result<OpenStore> read_open_store(ByteReader& reader);
CloseStore read_close_store(ByteReader& reader);
FindOwners read_find_owners(ByteReader& reader);
Result<OwnersTold> read_owners_told(ByteReader& reader);
StoreOpened read_store_opened(ByteReader& reader);
StoreFailed read_store_failed(ByteReader& reader);
AskOwners read_ask_owners(ByteReader& reader);
Result<OwnersFound> read_owners_found(ByteReader& reader);

}  // namespace muster::launcher
