// StoreTable: keys, their values and queues, and who waits for or watches them. Pure.
//
// One record per key holds it all, so that a request looks its key up once. It does not know
// requests or replies: StoreEngine does. Records keep their place in memory until they are removed,
// and a record is removed only by remove_if_unused().
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include "rendezvous/base/result.h"
#include "rendezvous/tcpstore/limits.h"

namespace muster::tcpstore {

// A small number that names a connection while it is open; reused after disconnect().
enum class ClientSlot : std::uint32_t {};

struct Waiter {
  ClientSlot client{};
  std::uint32_t place = 0;  // of this key among those the client waits for
};

struct Record {
  struct Attached {
    std::list<std::string> queue;
    std::list<Waiter> waiters;  // in the order they came
    std::list<ClientSlot> watchers;
    bool is_unused() const { return queue.empty() && waiters.empty() && watchers.empty(); }
  };

  std::string value;
  bool is_set = false;
  std::unique_ptr<Attached> attached;  // most keys have none

  // What CHECK and WAIT ask: a value, or something in the queue.
  bool is_present() const { return is_set || (attached && !attached->queue.empty()); }
  Attached& attach() {
    if (!attached) attached = std::make_unique<Attached>();
    return *attached;
  }
};

class StoreTable {
 public:
  using Node = std::pair<const std::string, Record>;

  explicit StoreTable(StoreLimits limits) : limits_(limits) {}

  Node* find(std::string_view key);
  // The record of `key`, made when there is none. kLimit when the store is full.
  Result<Node*> reach(std::string_view key);

  // kLimit when the store is full; the record is as before then.
  Status set(Node& node, std::string_view value);
  Status append(Node& node, std::string_view value);
  Status push(Node& node, std::string_view item);
  // The oldest item; the queue is not empty.
  std::string pop(Node& node);
  void unset(Node& node);
  void remove_if_unused(Node& node);

  std::size_t size() const { return set_; }  // keys with a value
  std::size_t records() const { return records_.size(); }
  std::size_t bytes() const { return bytes_; }

  // Calls visit(key) for each key with a value while it returns true.
  template <class Visit>
  void visit_set_keys(Visit visit) const {
    for (const Node& node : records_)
      if (node.second.is_set && !visit(std::string_view(node.first))) return;
  }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const {
      return std::hash<std::string_view>()(key);
    }
  };

  Status make_room(std::size_t bytes) const;

  StoreLimits limits_;
  std::unordered_map<std::string, Record, Hash, std::equal_to<>> records_;
  std::size_t set_ = 0;
  std::size_t bytes_ = 0;
  std::size_t queued_ = 0;
};

}  // namespace muster::tcpstore
