// Operations: a member's open store requests and collectives, and their time limits. Pure.
//
// Turns a call into the message that asks for it, the coordinator's answer into the call's result,
// and a limit that passes into a timeout. Shortly before the limit of a collective it asks who is
// missing, so that the timeout can name them.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include "rendezvous/base/ids.h"
#include "rendezvous/base/time.h"
#include "rendezvous/member_events.h"
#include "rendezvous/messages.h"

namespace muster::rendezvous {

class Operations {
 public:
  struct Outcome {
    std::vector<Message> send;
    std::vector<member_effect::Completed> completed;
  };

  // How many members the roster has; before that every start fails.
  void set_size(std::uint32_t size) { size_ = size; }

  Outcome start(RequestId request, Operation operation, Duration timeout, TimePoint now);
  // True when the message was an answer (of an operation that may be over already).
  bool accept(const Message& message, Outcome& outcome);
  Outcome expire(TimePoint now);
  Outcome fail_all(const Error& error);

  TimePoint next_deadline() const;

 private:
  struct Pending {
    std::string what;        // "get \"master\"", "barrier \"go\""
    std::string collective;  // its name, "" for store operations
    CollectiveKind kind{};
    Duration timeout{};
    TimePoint ask_at;
    TimePoint deadline;
    std::optional<Missing> missing;
  };
  enum class Alarm { kAsk, kExpire };

  Result<Message> request_of(RequestId request, Operation&& operation, Pending& pending) const;
  void finish(RequestId request, Result<OperationValue> result, Outcome& outcome);
  void finish_collective(const std::string& name, Result<std::vector<std::string>> values,
                         Outcome& outcome);
  std::string timeout_text(const Pending& pending) const;

  std::uint32_t size_ = 0;
  std::unordered_map<RequestId, Pending> pending_;
  std::map<std::string, RequestId> collectives_;  // by name
  std::set<std::tuple<TimePoint, RequestId, Alarm>> alarms_;
};

}  // namespace muster::rendezvous
