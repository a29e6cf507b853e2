// What each request does, one function for each.
#include <algorithm>
#include <charconv>
#include <limits>

#include "rendezvous/tcpstore/operations.h"
#include "rendezvous/tcpstore/replies.h"
#include "rendezvous/tcpstore/store_engine.h"

namespace muster::tcpstore {

namespace {

std::string quoted(std::string_view key) {
  constexpr std::size_t kShown = 64;
  std::string text = "'";
  for (const char c : key.substr(0, kShown)) text += c >= ' ' && c <= '~' ? c : '?';
  return text + (key.size() > kShown ? "...'" : "'");
}

// The number that a value begins with, read as PyTorch's servers read it: after blanks and a sign,
// as far as there are digits; what stands behind them is ignored.
Result<std::int64_t> number_in(std::string_view key, std::string_view value) {
  std::string_view text =
      value.substr(std::min(value.find_first_not_of(" \t\n\v\f\r"), value.size()));
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  std::int64_t number = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), number);
  if (read.ec == std::errc()) return number;
  return failure(ErrorCode::kInvalidArgument,
                 "a number is to be added to " + quoted(key) + ", whose value is none");
}

}  // namespace

struct StoreEngine::Server {
  StoreEngine& engine;
  ClientSlot client;

  StoreTable& table() const { return engine.table_; }
  std::string& reply() const { return engine.reply_to(client); }
  template <class Number>
  Status answer(Number number) const {
    append_number(reply(), number);
    return {};
  }

  Status operator()(const Validate& request) const {
    if (request.magic == kValidateMagic) return {};
    return failure(ErrorCode::kProtocol, "VALIDATE with the magic " +
                                             std::to_string(request.magic) + ", PyTorch sends " +
                                             std::to_string(kValidateMagic));
  }

  Status operator()(const Ping& request) const { return answer(request.nonce); }

  Status operator()(const Set& request) const {
    MUSTER_TRY(node, table().reach(request.key));
    return engine.set_value(*node, request.value);
  }

  // The reply is the value held now. For a missing key and something expected PyTorch's clients
  // want what they expected, though nothing is held.
  Status operator()(const CompareSet& request) const {
    Node* node = table().find(request.key);
    const bool is_set = node != nullptr && node->second.is_set;
    if (!is_set && !request.expected.empty()) {
      append_string(reply(), request.expected);
      return {};
    }
    if (!is_set || node->second.value == request.expected) {
      MUSTER_TRY(reached, table().reach(request.key));
      MUSTER_RETURN_IF_ERROR(engine.set_value(*reached, request.desired));
      node = reached;
    }
    append_string(reply(), node->second.value);
    return {};
  }

  // An empty value for a missing key: PyTorch's clients WAIT before they GET.
  Status operator()(const Get& request) const {
    const Node* node = table().find(request.key);
    append_string(reply(), node == nullptr ? std::string_view() : node->second.value);
    return {};
  }

  Status operator()(const Add& request) const {
    MUSTER_TRY(node, table().reach(request.key));
    MUSTER_TRY(sum, engine.add(*node, request.delta));
    engine.wake_all(*node);
    return answer(sum);
  }

  Status operator()(const Check& request) const {
    return answer(engine.all_present(request.keys) ? kReady : kNotReady);
  }

  Status operator()(const Wait& request) const { return engine.open_wait(client, request.keys); }

  Status operator()(const CountKeys&) const {
    return answer(static_cast<std::int64_t>(table().size()));
  }

  Status operator()(const DeleteKey& request) const {
    Node* node = table().find(request.key);
    if (node == nullptr || !node->second.is_set) return answer(std::int64_t{0});
    engine.tell_watchers(*node, kKeyDeleted, node->second.value, "");
    table().unset(*node);
    table().remove_if_unused(*node);
    return answer(std::int64_t{1});
  }

  Status operator()(const Append& request) const {
    MUSTER_TRY(node, table().reach(request.key));
    const Status status = table().append(*node, request.value);
    if (status) engine.wake_all(*node);
    table().remove_if_unused(*node);
    return status;
  }

  Status operator()(const MultiGet& request) const {
    FieldReader keys = request.keys.reader();
    for (std::uint64_t i = 0; i < request.keys.count; ++i) {
      MUSTER_RETURN_IF_ERROR((*this)(Get{keys.string()}));
      MUSTER_RETURN_IF_ERROR(engine.check_backlog(engine.at(client)));
    }
    return {};
  }

  Status operator()(const MultiSet& request) const {
    FieldReader fields = request.pairs.reader();
    for (std::uint64_t i = 0; i < request.pairs.count; ++i)
      MUSTER_RETURN_IF_ERROR((*this)(Set{fields.string(), fields.string()}));
    return {};
  }

  Status operator()(const CancelWait&) const {
    std::string held = std::move(engine.at(client).held);
    engine.abandon_wait(client);
    append_number(reply(), kWaitCanceled);
    reply().append(held);
    engine.at(client).held.clear();
    return {};
  }

  Status operator()(const QueuePush& request) const {
    MUSTER_TRY(node, table().reach(request.key));
    const Status status = table().push(*node, request.value);
    if (status) engine.wake_one(*node);
    table().remove_if_unused(*node);
    return status;
  }

  Status operator()(const QueuePop& request) const {
    Node* node = table().find(request.key);
    const std::size_t size = length_of(node);
    append_number(reply(), static_cast<std::int64_t>(size));
    if (size == 0) return {};
    append_string(reply(), table().pop(*node));
    table().remove_if_unused(*node);
    return {};
  }

  Status operator()(const QueueLength& request) const {
    return answer(static_cast<std::int64_t>(length_of(table().find(request.key))));
  }

  Status operator()(const ListKeys&) const {
    std::string& list = reply();
    append_number(list, static_cast<std::int64_t>(table().size()));
    table().visit_set_keys([&list, limit = engine.limits_.backlog](std::string_view key) {
      append_string(list, key);
      return list.size() <= limit;
    });
    return {};
  }

  Status operator()(const Barrier& request) const {
    MUSTER_TRY(node, table().reach(request.key));
    MUSTER_TRY(arrived, engine.add(*node, 1));
    if (arrived < request.members) {
      MUSTER_RETURN_IF_ERROR(engine.begin_wait(client));
      return engine.wait_for(client, *node);
    }
    engine.wake_all(*node);
    return answer(kStopWaiting);
  }

  Status operator()(const WatchKey& request) const {
    if (engine.at(client).watches.size() >= engine.limits_.watches_per_client) {
      return failure(ErrorCode::kLimit, "too many keys watched: at most " +
                                            std::to_string(engine.limits_.watches_per_client));
    }
    MUSTER_TRY(node, table().reach(request.key));
    auto& watchers = node->second.attach().watchers;
    watchers.push_back(client);
    engine.at(client).watches.push_back({node, std::prev(watchers.end())});
    return answer(kWatchRegistered);
  }

 private:
  static std::size_t length_of(const Node* node) {
    return node == nullptr || !node->second.attached ? 0 : node->second.attached->queue.size();
  }
};

Status StoreEngine::serve_all(ClientSlot client, std::string_view bytes) {
  RequestStream& requests = at(client).requests;
  requests.feed(bytes);
  const Server server{*this, client};
  Request request;
  while (true) {
    MUSTER_TRY(is_whole, requests.next(request));
    if (!is_whole) return {};
    // Old clients cannot cancel: one that speaks again has given its WAIT up (its own time limit),
    // and a late reply would be taken for the next one's.
    if (at(client).is_waiting && requests.era() == Era::kOld) abandon_wait(client);
    MUSTER_RETURN_IF_ERROR(std::visit(server, request));
    MUSTER_RETURN_IF_ERROR(check_backlog(at(client)));
  }
}

// Stores, tells the watchers, wakes who waits.
Status StoreEngine::set_value(Node& node, std::string_view value) {
  const bool is_watched = node.second.attached && !node.second.attached->watchers.empty();
  const std::uint8_t change = node.second.is_set ? kKeyUpdated : kKeyCreated;
  const std::string old_value = is_watched ? node.second.value : std::string();
  const Status status = table_.set(node, value);
  if (!status) {
    table_.remove_if_unused(node);
    return status;
  }
  wake_all(node);
  if (is_watched) tell_watchers(node, change, old_value, value);
  return {};
}

// The new number, kept as decimal text. Wakes nobody.
Result<std::int64_t> StoreEngine::add(Node& node, std::int64_t delta) {
  std::int64_t sum = 0;
  if (node.second.is_set) {
    MUSTER_TRY(number, number_in(node.first, node.second.value));
    sum = number;
  }
  if (__builtin_add_overflow(sum, delta, &sum)) {
    return failure(ErrorCode::kInvalidArgument,
                   "the sum at " + quoted(node.first) + " does not fit into 64 bits");
  }
  const std::uint8_t change = node.second.is_set ? kKeyUpdated : kKeyCreated;
  const std::string old_value = node.second.value;
  const Status status = table_.set(node, std::to_string(sum));
  if (!status) {
    table_.remove_if_unused(node);
    return tl::unexpected<Error>(status.error());
  }
  tell_watchers(node, change, old_value, node.second.value);
  return sum;
}

void StoreEngine::tell_watchers(const Node& node, std::uint8_t change, std::string_view old_value,
                                std::string_view new_value) {
  if (!node.second.attached) return;
  for (const ClientSlot watcher : node.second.attached->watchers) {
    if (at(watcher).is_doomed) continue;
    std::string& bytes = push_to(watcher);
    append_number(bytes, change);
    append_string(bytes, node.first);
    append_string(bytes, old_value);
    append_string(bytes, new_value);
    const Status status = check_backlog(at(watcher));
    if (!status) doom(watcher, status.error());
  }
}

bool StoreEngine::all_present(FieldList keys) {
  FieldReader reader = keys.reader();
  for (std::uint64_t i = 0; i < keys.count; ++i) {
    const Node* node = table_.find(reader.string());
    if (node == nullptr || !node->second.is_present()) return false;
  }
  return true;
}

}  // namespace muster::tcpstore
