#include "rendezvous/tcpstore/store_table.h"

namespace muster::tcpstore {

namespace {

tl::unexpected<Error> full(std::string_view what, std::size_t limit) {
  return failure(ErrorCode::kLimit, "the store is full: it holds at most " + std::to_string(limit) +
                                        " " + std::string(what));
}

}  // namespace

StoreTable::Node* StoreTable::find(std::string_view key) {
  const auto found = records_.find(key);
  return found == records_.end() ? nullptr : &*found;
}

Result<StoreTable::Node*> StoreTable::reach(std::string_view key) {
  if (Node* found = find(key)) return found;
  if (records_.size() >= limits_.keys) return full("keys", limits_.keys);
  MUSTER_RETURN_IF_ERROR(make_room(key.size()));
  bytes_ += key.size();
  return &*records_.try_emplace(std::string(key)).first;
}

Status StoreTable::make_room(std::size_t bytes) const {
  if (bytes_ + bytes > limits_.bytes) return full("bytes", limits_.bytes);
  return {};
}

Status StoreTable::set(Node& node, std::string_view value) {
  Record& record = node.second;
  if (value.size() > record.value.size())
    MUSTER_RETURN_IF_ERROR(make_room(value.size() - record.value.size()));
  bytes_ += value.size() - record.value.size();  // may wrap on the way, not in the end
  record.value.assign(value);
  if (!record.is_set) ++set_;
  record.is_set = true;
  return {};
}

Status StoreTable::append(Node& node, std::string_view value) {
  Record& record = node.second;
  if (record.value.size() + value.size() > kMaxAppended) {
    return failure(ErrorCode::kLimit, "APPEND would make a value of " +
                                          std::to_string(record.value.size() + value.size()) +
                                          " bytes, at most " + std::to_string(kMaxAppended));
  }
  MUSTER_RETURN_IF_ERROR(make_room(value.size()));
  bytes_ += value.size();
  record.value.append(value);
  if (!record.is_set) ++set_;
  record.is_set = true;
  return {};
}

Status StoreTable::push(Node& node, std::string_view item) {
  if (queued_ >= limits_.queued_items) return full("queued items", limits_.queued_items);
  MUSTER_RETURN_IF_ERROR(make_room(item.size()));
  bytes_ += item.size();
  ++queued_;
  node.second.attach().queue.emplace_back(item);
  return {};
}

std::string StoreTable::pop(Node& node) {
  auto& queue = node.second.attached->queue;
  std::string item = std::move(queue.front());
  queue.pop_front();
  bytes_ -= item.size();
  --queued_;
  return item;
}

void StoreTable::unset(Node& node) {
  Record& record = node.second;
  if (!record.is_set) return;
  record.is_set = false;
  --set_;
  bytes_ -= record.value.size();
  record.value = std::string();
}

void StoreTable::remove_if_unused(Node& node) {
  Record& record = node.second;
  if (record.attached && record.attached->is_unused()) record.attached.reset();
  if (record.is_set || record.attached) return;
  bytes_ -= node.first.size();
  records_.erase(records_.find(node.first));
}

}  // namespace muster::tcpstore
