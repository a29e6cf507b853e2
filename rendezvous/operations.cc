#include "rendezvous/operations.h"

#include <algorithm>

#include "rendezvous/text.h"

namespace muster::rendezvous {

namespace {

constexpr Duration kLongestAsk{500};

std::string quoted(const std::string& text) {
  return "\"" + clipped(text, 80) + "\"";
}

Status check_size(std::string_view what, std::size_t size, std::size_t limit) {
  if (size <= limit) return {};
  return failure(ErrorCode::kLimit, std::string(what) + " of " + std::to_string(size) +
                                        " bytes; at most " + std::to_string(limit) + " are taken");
}

// The message that asks for an operation, after its limits were checked.
struct RequestMaker {
  RequestId request;

  Result<Message> operator()(operation::Set&& set) const {
    MUSTER_RETURN_IF_ERROR(check_size("key", set.key.size(), kMaxKey));
    MUSTER_RETURN_IF_ERROR(check_size("value", set.value.size(), kMaxValue));
    return Message(SetRequest{request, std::move(set.key), std::move(set.value)});
  }
  Result<Message> operator()(operation::Get&& get) const {
    MUSTER_RETURN_IF_ERROR(check_size("key", get.key.size(), kMaxKey));
    return Message(GetRequest{request, std::move(get.key)});
  }
  Result<Message> operator()(operation::Wait&& wait) const {
    if (wait.keys.empty()) return failure(ErrorCode::kInvalidArgument, "no key to wait for");
    if (wait.keys.size() > kMaxKeysPerWait)
      return failure(ErrorCode::kLimit, "at most 1024 keys can be waited for at once");
    std::size_t bytes = 0;
    for (const std::string& key : wait.keys) {
      MUSTER_RETURN_IF_ERROR(check_size("key", key.size(), kMaxKey));
      bytes += key.size() + 4;
    }
    MUSTER_RETURN_IF_ERROR(check_size("a list of keys", bytes, kMaxMessage));
    return Message(WaitRequest{request, std::move(wait.keys)});
  }
  Result<Message> operator()(operation::Add&& add) const {
    MUSTER_RETURN_IF_ERROR(check_size("key", add.key.size(), kMaxKey));
    return Message(AddRequest{request, std::move(add.key), add.delta});
  }
  Result<Message> operator()(operation::Barrier&& barrier) const {
    return arrive(CollectiveKind::kBarrier, std::move(barrier.name), MemberIndex{}, "");
  }
  Result<Message> operator()(operation::AllGather&& gather) const {
    return arrive(CollectiveKind::kAllGather, std::move(gather.name), MemberIndex{},
                  std::move(gather.bytes));
  }
  Result<Message> operator()(operation::Broadcast&& broadcast) const {
    return arrive(CollectiveKind::kBroadcast, std::move(broadcast.name), broadcast.root,
                  std::move(broadcast.bytes));
  }

 private:
  static Result<Message> arrive(CollectiveKind kind, std::string name, MemberIndex root,
                                std::string bytes) {
    MUSTER_RETURN_IF_ERROR(check_size("name", name.size(), kMaxKey));
    MUSTER_RETURN_IF_ERROR(check_size("contribution", bytes.size(), kMaxValue));
    return Message(Arrive{kind, std::move(name), root, std::move(bytes)});
  }
};

struct OperationName {
  std::string operator()(const operation::Set& set) const { return "set " + quoted(set.key); }
  std::string operator()(const operation::Get& get) const { return "get " + quoted(get.key); }
  std::string operator()(const operation::Wait& wait) const {
    if (wait.keys.empty()) return "wait";
    const std::string first = "wait " + quoted(wait.keys.front());
    return wait.keys.size() == 1 ? first
                                 : first + " and " + std::to_string(wait.keys.size() - 1) + " more";
  }
  std::string operator()(const operation::Add& add) const { return "add " + quoted(add.key); }
  std::string operator()(const operation::Barrier& barrier) const {
    return "barrier " + quoted(barrier.name);
  }
  std::string operator()(const operation::AllGather& gather) const {
    return "all_gather " + quoted(gather.name);
  }
  std::string operator()(const operation::Broadcast& broadcast) const {
    return "broadcast " + quoted(broadcast.name);
  }
};

}  // namespace

Operations::Outcome Operations::start(RequestId request, Operation operation, Duration timeout,
                                      TimePoint now) {
  Outcome outcome;
  Pending pending;
  pending.what = std::visit(OperationName(), operation);
  Result<Message> message = request_of(request, std::move(operation), pending);
  if (!message) {
    outcome.completed.push_back({request, failure(message.error().within(pending.what))});
    return outcome;
  }
  pending.timeout = timeout;
  pending.deadline = now + timeout;
  pending.ask_at = pending.deadline - std::min(timeout / 10, kLongestAsk);
  alarms_.emplace(pending.deadline, request, Alarm::kExpire);
  if (!pending.collective.empty()) {
    collectives_.emplace(pending.collective, request);
    alarms_.emplace(pending.ask_at, request, Alarm::kAsk);
  }
  pending_.emplace(request, std::move(pending));
  outcome.send.push_back(std::move(*message));
  return outcome;
}

Result<Message> Operations::request_of(RequestId request, Operation&& operation,
                                       Pending& pending) const {
  if (size_ == 0) return failure(ErrorCode::kUnavailable, "there is no roster yet");
  if (pending_.contains(request))
    return failure(ErrorCode::kInvalidArgument, "the request's number is in use");
  MUSTER_TRY(message, std::visit(
                          [request](auto&& what) {
                            return RequestMaker{request}(std::forward<decltype(what)>(what));
                          },
                          std::move(operation)));
  if (const auto* arrival = std::get_if<Arrive>(&message)) {
    if (arrival->name.empty()) return failure(ErrorCode::kInvalidArgument, "a name is needed");
    if (value_of(arrival->root) >= size_)
      return failure(ErrorCode::kInvalidArgument, "no such root in the roster");
    if (collectives_.contains(arrival->name))
      return failure(ErrorCode::kInvalidArgument, "the earlier one of this name is still open");
    pending.collective = arrival->name;
    pending.kind = arrival->kind;
  }
  return message;
}

bool Operations::accept(const Message& message, Outcome& outcome) {
  if (const auto* done = std::get_if<DoneReply>(&message)) {
    finish(done->request, OperationValue(), outcome);
  } else if (const auto* value = std::get_if<ValueReply>(&message)) {
    finish(value->request, OperationValue(value->value), outcome);
  } else if (const auto* number = std::get_if<NumberReply>(&message)) {
    finish(number->request, OperationValue(number->number), outcome);
  } else if (const auto* failed = std::get_if<FailedReply>(&message)) {
    finish(failed->request, failure(failed->code, failed->reason), outcome);
  } else if (const auto* all = std::get_if<CollectiveDone>(&message)) {
    finish_collective(all->name, all->values, outcome);
  } else if (const auto* none = std::get_if<CollectiveFailed>(&message)) {
    finish_collective(none->name, failure(none->code, none->reason), outcome);
  } else if (const auto* missing = std::get_if<Missing>(&message)) {
    const auto entry = collectives_.find(missing->name);
    if (entry != collectives_.end()) pending_.at(entry->second).missing = *missing;
  } else {
    return false;
  }
  return true;
}

Operations::Outcome Operations::expire(TimePoint now) {
  Outcome outcome;
  while (!alarms_.empty() && std::get<TimePoint>(*alarms_.begin()) <= now) {
    const auto [when, request, alarm] = *alarms_.begin();
    const Pending& pending = pending_.at(request);
    if (alarm == Alarm::kAsk) {
      outcome.send.push_back(AskMissing{pending.collective});
      alarms_.erase(alarms_.begin());
      continue;
    }
    if (pending.collective.empty()) {
      outcome.send.push_back(CancelRequest{request});
    } else {
      outcome.send.push_back(GiveUp{pending.collective});
    }
    finish(request, failure(ErrorCode::kTimeout, timeout_text(pending)), outcome);
  }
  return outcome;
}

Operations::Outcome Operations::fail_all(const Error& error) {
  Outcome outcome;
  std::vector<RequestId> requests;
  for (const auto& [request, pending] : pending_) requests.push_back(request);
  std::sort(requests.begin(), requests.end());
  for (const RequestId request : requests)
    finish(request, failure(error.within(pending_.at(request).what)), outcome);
  size_ = 0;
  return outcome;
}

TimePoint Operations::next_deadline() const {
  return alarms_.empty() ? TimePoint::max() : std::get<TimePoint>(*alarms_.begin());
}

void Operations::finish(RequestId request, Result<OperationValue> result, Outcome& outcome) {
  const auto entry = pending_.find(request);
  if (entry == pending_.end()) return;  // it timed out before its answer came
  const Pending& pending = entry->second;
  alarms_.erase({pending.deadline, request, Alarm::kExpire});
  alarms_.erase({pending.ask_at, request, Alarm::kAsk});
  collectives_.erase(pending.collective);
  pending_.erase(entry);
  outcome.completed.push_back({request, std::move(result)});
}

void Operations::finish_collective(const std::string& name, Result<std::vector<std::string>> values,
                                   Outcome& outcome) {
  const auto entry = collectives_.find(name);
  if (entry == collectives_.end()) return;
  const RequestId request = entry->second;
  const Pending& pending = pending_.at(request);
  if (!values) {
    finish(request, failure(values.error()), outcome);
  } else if (pending.kind == CollectiveKind::kBarrier) {
    finish(request, OperationValue(), outcome);
  } else if (pending.kind == CollectiveKind::kAllGather) {
    finish(request, OperationValue(std::move(*values)), outcome);
  } else if (values->size() == 1) {
    finish(request, OperationValue(std::move(values->front())), outcome);
  } else {
    finish(request, failure(ErrorCode::kProtocol, pending.what + ": not one value"), outcome);
  }
}

std::string Operations::timeout_text(const Pending& pending) const {
  std::string text = pending.what + ": not complete after " + seconds_text(pending.timeout);
  if (pending.collective.empty()) return text;
  if (!pending.missing) return text + "; the coordinator did not say who is missing";
  text += "; " + std::to_string(pending.missing->count) + " of " + std::to_string(size_) +
          " members did not come";
  std::string list;
  for (const std::string& name : pending.missing->first)
    list += (list.empty() ? ": " : ", ") + name;
  return clipped(text + list, kMaxText);
}

}  // namespace muster::rendezvous
