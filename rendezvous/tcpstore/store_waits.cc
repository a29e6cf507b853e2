// Who waits for which key: opened by WAIT and BARRIER, ended by the keys' arrival, by CANCEL_WAIT,
// by the connection's end.
#include "rendezvous/tcpstore/operations.h"
#include "rendezvous/tcpstore/replies.h"
#include "rendezvous/tcpstore/store_engine.h"

namespace muster::tcpstore {

Status StoreEngine::open_wait(ClientSlot client, FieldList keys) {
  if (all_present(keys)) {
    append_number(reply_to(client), kStopWaiting);
    return {};
  }
  MUSTER_RETURN_IF_ERROR(begin_wait(client));
  FieldReader reader = keys.reader();
  for (std::uint64_t i = 0; i < keys.count; ++i) {
    MUSTER_TRY(node, table_.reach(reader.string()));
    if (!node->second.is_present()) MUSTER_RETURN_IF_ERROR(wait_for(client, *node));
  }
  return {};
}

Status StoreEngine::begin_wait(ClientSlot client) {
  if (at(client).is_waiting)
    return failure(ErrorCode::kProtocol, "a second WAIT or BARRIER behind an open one");
  at(client).is_waiting = true;
  return {};
}

Status StoreEngine::wait_for(ClientSlot client, Node& node) {
  std::list<Waiter>& waiters = node.second.attach().waiters;
  // The same key twice in one request: its waiter is still the last one.
  if (!waiters.empty() && waiters.back().client == client) return {};
  if (waits_ >= limits_.waits) {
    table_.remove_if_unused(node);
    return failure(ErrorCode::kLimit,
                   "too many waits: at most " + std::to_string(limits_.waits) + " in all");
  }
  Client& who = at(client);
  waiters.push_back({client, static_cast<std::uint32_t>(who.links.size())});
  who.links.push_back({&node, std::prev(waiters.end())});
  ++who.missing;
  ++waits_;
  return {};
}

// Forgets the open WAIT, if there is one; what is held stays held.
void StoreEngine::abandon_wait(ClientSlot client) {
  Client& who = at(client);
  for (const Link& link : who.links) {
    if (link.node == nullptr) continue;
    link.node->second.attached->waiters.erase(link.waiter);
    --waits_;
    table_.remove_if_unused(*link.node);
  }
  who.links.clear();
  who.missing = 0;
  who.is_waiting = false;
}

void StoreEngine::finish_wait(ClientSlot client) {
  Client& who = at(client);
  who.links.clear();
  who.is_waiting = false;
  append_number(push_to(client), kStopWaiting);
  who.replies.append(who.held);
  who.held.clear();
}

// The waiter is gone from its list. True when that was the last key its client waited for.
bool StoreEngine::note_arrival(Waiter waiter) {
  Client& who = at(waiter.client);
  who.links[waiter.place].node = nullptr;
  --waits_;
  if (--who.missing > 0) return false;
  finish_wait(waiter.client);
  return true;
}

void StoreEngine::wake_all(Node& node) {
  if (!node.second.attached) return;
  std::list<Waiter> waiters = std::move(node.second.attached->waiters);
  node.second.attached->waiters.clear();
  if (node.second.attached->is_unused()) node.second.attached.reset();
  for (const Waiter waiter : waiters) note_arrival(waiter);
}

// One item came into the queue. Whoever waits for other keys too is only counted, not woken.
void StoreEngine::wake_one(Node& node) {
  std::list<Waiter>& waiters = node.second.attached->waiters;
  while (!waiters.empty()) {
    const Waiter first = waiters.front();
    waiters.pop_front();
    if (note_arrival(first)) return;
  }
}

}  // namespace muster::tcpstore
