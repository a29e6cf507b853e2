// Store: keys and values of one generation, and who waits for them. Pure.
//
// Every call gives the answers that are due now, to whomever. Time limits are the members': one
// that no longer wants an answer cancels.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "rendezvous/base/ids.h"
#include "rendezvous/messages.h"

namespace muster::rendezvous {

inline constexpr std::size_t kMaxStoreKeys = 1u << 20;
inline constexpr std::size_t kMaxStoreBytes = 256u << 20;  // keys and values together
inline constexpr std::size_t kMaxWaitersPerMember = 4096;

class Store {
 public:
  struct Waiter {
    MemberIndex member{};
    RequestId request{};

    auto operator<=>(const Waiter&) const = default;
  };
  struct Answer {
    MemberIndex to{};
    Message message;  // DoneReply, ValueReply, NumberReply or FailedReply
  };
  using Answers = std::vector<Answer>;

  Answers set(MemberIndex from, SetRequest request);
  Answers get(MemberIndex from, GetRequest request);
  Answers wait(MemberIndex from, WaitRequest request);
  Answers add(MemberIndex from, AddRequest request);
  void cancel(MemberIndex from, RequestId request);
  // The member is gone: it waits for nothing any more. Its keys stay.
  void forget(MemberIndex member);

  std::size_t waiters() const { return waiting_.size(); }

 private:
  struct Wish {
    bool wants_value = false;    // get, not wait
    std::set<std::string> keys;  // not there yet
  };

  Answers enqueue(Waiter waiter, bool wants_value, std::set<std::string> keys);
  // Stores and wakes; empty answers only when the limits forbid it (then nothing changed).
  bool assign(const std::string& key, std::string value);
  void wake(const std::string& key, Answers& answers);
  void erase(std::map<Waiter, Wish>::iterator entry);

  std::unordered_map<std::string, std::string> values_;
  std::size_t bytes_ = 0;
  std::map<Waiter, Wish> waiting_;
  std::unordered_map<std::string, std::set<Waiter>> by_key_;
};

}  // namespace muster::rendezvous
