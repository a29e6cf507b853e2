#include "rendezvous/store.h"

#include <charconv>
#include <optional>

namespace muster::rendezvous {

namespace {

Message refusal(RequestId request, ErrorCode code, std::string reason) {
  return FailedReply{request, code, std::move(reason)};
}

std::optional<std::int64_t> number_in(const std::string& text) {
  std::int64_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end) return std::nullopt;
  return number;
}

constexpr const char* kStoreFull = "the store is full (256 MiB or 1048576 keys)";

}  // namespace

Store::Answers Store::set(MemberIndex from, SetRequest request) {
  if (!assign(request.key, std::move(request.value)))
    return {{from, refusal(request.request, ErrorCode::kLimit, kStoreFull)}};
  Answers answers = {{from, DoneReply{request.request}}};
  wake(request.key, answers);
  return answers;
}

Store::Answers Store::get(MemberIndex from, GetRequest request) {
  const auto value = values_.find(request.key);
  if (value != values_.end()) return {{from, ValueReply{request.request, value->second}}};
  return enqueue({from, request.request}, true, {request.key});
}

Store::Answers Store::wait(MemberIndex from, WaitRequest request) {
  std::set<std::string> absent;
  for (std::string& key : request.keys)
    if (!values_.contains(key)) absent.insert(std::move(key));
  if (absent.empty()) return {{from, DoneReply{request.request}}};
  return enqueue({from, request.request}, false, std::move(absent));
}

Store::Answers Store::add(MemberIndex from, AddRequest request) {
  std::int64_t sum = 0;
  if (const auto value = values_.find(request.key); value != values_.end()) {
    const auto number = number_in(value->second);
    if (!number) {
      return {{from, refusal(request.request, ErrorCode::kInvalidArgument,
                             "add: the value of \"" + request.key + "\" is not a number")}};
    }
    sum = *number;
  }
  if (__builtin_add_overflow(sum, request.delta, &sum)) {
    return {{from, refusal(request.request, ErrorCode::kLimit,
                           "add: \"" + request.key + "\" would leave 64 bits")}};
  }
  if (!assign(request.key, std::to_string(sum)))
    return {{from, refusal(request.request, ErrorCode::kLimit, kStoreFull)}};
  Answers answers = {{from, NumberReply{request.request, sum}}};
  wake(request.key, answers);
  return answers;
}

void Store::cancel(MemberIndex from, RequestId request) {
  const auto entry = waiting_.find({from, request});
  if (entry != waiting_.end()) erase(entry);
}

void Store::forget(MemberIndex member) {
  auto entry = waiting_.lower_bound({member, RequestId{0}});
  while (entry != waiting_.end() && entry->first.member == member) erase(entry++);
}

Store::Answers Store::enqueue(Waiter waiter, bool wants_value, std::set<std::string> keys) {
  // A member's waiters lie side by side; counting stops at the limit.
  std::size_t count = 0;
  for (auto entry = waiting_.lower_bound({waiter.member, RequestId{0}});
       entry != waiting_.end() && entry->first.member == waiter.member; ++entry) {
    ++count;
  }
  if (count >= kMaxWaitersPerMember) {
    return {{waiter.member,
             refusal(waiter.request, ErrorCode::kLimit, "4096 requests of this member wait")}};
  }
  const auto [entry, is_new] = waiting_.try_emplace(waiter, Wish{wants_value, std::move(keys)});
  if (!is_new) return {};  // the number was used twice: the first one is answered
  for (const std::string& key : entry->second.keys) by_key_[key].insert(waiter);
  return {};
}

bool Store::assign(const std::string& key, std::string value) {
  const auto entry = values_.find(key);
  const std::size_t before = entry == values_.end() ? 0 : key.size() + entry->second.size();
  const std::size_t after = bytes_ - before + key.size() + value.size();
  if (after > kMaxStoreBytes) return false;
  if (entry == values_.end() && values_.size() >= kMaxStoreKeys) return false;
  bytes_ = after;
  values_.insert_or_assign(key, std::move(value));
  return true;
}

void Store::wake(const std::string& key, Answers& answers) {
  auto waiters = by_key_.extract(key);
  if (waiters.empty()) return;
  for (const Waiter& waiter : waiters.mapped()) {
    const auto entry = waiting_.find(waiter);
    Wish& wish = entry->second;
    wish.keys.erase(key);
    if (!wish.keys.empty()) continue;
    if (wish.wants_value) {
      answers.push_back({waiter.member, ValueReply{waiter.request, values_.at(key)}});
    } else {
      answers.push_back({waiter.member, DoneReply{waiter.request}});
    }
    waiting_.erase(entry);
  }
}

void Store::erase(std::map<Waiter, Wish>::iterator entry) {
  for (const std::string& key : entry->second.keys) {
    const auto waiters = by_key_.find(key);
    waiters->second.erase(entry->first);
    if (waiters->second.empty()) by_key_.erase(waiters);
  }
  waiting_.erase(entry);
}

}  // namespace muster::rendezvous
