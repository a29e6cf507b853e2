// Admission: whom the agent's store serves. Pure: (event, now) -> effects.
//
// The store's protocol has no place for a secret, so a client is judged by its connection: whose it
// is (uid), or where it comes from (node). Connections of this node are looked up by the shell; the
// owners of the others are asked of their nodes' agents, all that came within kGatherFor in one
// question. Each connection gets exactly one Admit or Refuse, at the latest after `patience`.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <unordered_set>
#include <variant>
#include <vector>

#include "launcher/coordinator/store_messages.h"
#include "rendezvous/base/time.h"

namespace muster::launcher {

struct AdmissionOptions {
  AdmissionMode mode = AdmissionMode::kUid;  // kOpen admits all
  std::uint32_t uid = 0;                     // the job's user
  std::set<std::string> own_addresses;       // numeric, of this node
  Duration patience = std::chrono::seconds(8);
};

// Connections that wait for an answer; more are refused.
inline constexpr std::size_t kMaxWaiting = 65536;
inline constexpr Duration kGatherFor{1};

namespace admission {

// --- events -----------------------------------------------------------------------------------

struct Came {
  StoreConnection connection;
};
// The answers to LookUpHere and to Ask; those to connections that do not wait are ignored.
struct OwnersKnown {
  std::vector<Ownership> owners;
};
struct DeadlinePassed {};

using Event = std::variant<Came, OwnersKnown, DeadlinePassed>;

// --- effects ----------------------------------------------------------------------------------

struct LookUpHere {
  StoreConnection connection;
  bool operator==(const LookUpHere&) const = default;
};
struct Ask {
  std::vector<StoreConnection> connections;  // at most kMaxStoreConnections
  bool operator==(const Ask&) const = default;
};
struct Admit {
  std::uint64_t id = 0;
  bool operator==(const Admit&) const = default;
};
struct Refuse {
  std::uint64_t id = 0;
  std::string why;  // "it belongs to uid 65534; ..."
  bool operator==(const Refuse&) const = default;
};

using Effect = std::variant<LookUpHere, Ask, Admit, Refuse>;
using Effects = std::vector<Effect>;

}  // namespace admission

class Admission {
 public:
  explicit Admission(AdmissionOptions options) : options_(std::move(options)) {}

  admission::Effects step(const admission::Event& event, TimePoint now);
  std::optional<TimePoint> next_deadline() const;

 private:
  struct Waiting {
    std::uint64_t id = 0;
    TimePoint until{};
  };

  void greet(const StoreConnection& connection, TimePoint now);
  void judge(const Ownership& owner);
  void give_up_on_late_ones(TimePoint now);
  void ask();
  void refuse(std::uint64_t id, std::string why);
  bool is_of_this_node(const StoreConnection& connection) const;

  AdmissionOptions options_;
  std::unordered_set<std::uint64_t> waiting_;
  std::deque<Waiting> by_deadline_;  // in the order of coming; answered ones are still in it
  std::vector<StoreConnection> gathered_;
  std::optional<TimePoint> ask_at_;
  admission::Effects effects_;
};

}  // namespace muster::launcher
