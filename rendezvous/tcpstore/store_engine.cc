#include "rendezvous/tcpstore/store_engine.h"

#include <algorithm>
#include <utility>

namespace muster::tcpstore {

namespace {

constexpr std::size_t kKeptCapacity =
    4 * 1024;  // a larger reply buffer is given back after its use

}  // namespace

void StoreEngine::accept(ClientSlot client) {
  const auto place = static_cast<std::size_t>(client);
  if (place >= clients_.size()) clients_.resize(std::max(place + 1, clients_.size() * 2));
  clients_[place] = Client();
  clients_[place].is_open = true;
}

void StoreEngine::receive(ClientSlot client, std::string_view bytes) {
  if (!at(client).is_open || at(client).is_doomed) return;
  const Status status = serve_all(client, bytes);
  if (!status) doom(client, status.error());
}

void StoreEngine::disconnect(ClientSlot client) {
  if (!at(client).is_open) return;
  abandon_wait(client);
  for (const Watch& watch : at(client).watches) {
    watch.node->second.attached->watchers.erase(watch.watcher);
    table_.remove_if_unused(*watch.node);
  }
  at(client) = Client();
}

void StoreEngine::doom(ClientSlot client, Error why) {
  if (std::exchange(at(client).is_doomed, true)) return;
  closings_.push_back({client, std::move(why)});
}

std::string_view StoreEngine::unsent(ClientSlot client) const {
  return std::string_view(at(client).replies).substr(at(client).sent);
}

void StoreEngine::note_sent(ClientSlot client, std::size_t size) {
  Client& to = at(client);
  to.sent += size;
  if (to.sent < to.replies.size()) {
    // One that asks on while it reads is never quite done: only what is left is kept.
    if (to.sent <= std::max(kKeptCapacity, to.replies.size() / 2)) return;
    to.replies.erase(0, to.sent);
    to.sent = 0;
    return;
  }
  to.sent = 0;
  to.replies.clear();
  if (to.replies.capacity() > kKeptCapacity) to.replies = std::string();
}

void StoreEngine::take_ready(std::vector<ClientSlot>& clients) {
  for (const ClientSlot client : ready_) {
    at(client).is_ready = false;
    clients.push_back(client);
  }
  ready_.clear();
}

std::vector<Closing> StoreEngine::take_closings() {
  return std::exchange(closings_, {});
}

Status StoreEngine::check_backlog(const Client& client) const {
  const std::size_t backlog = client.replies.size() - client.sent + client.held.size();
  if (backlog <= limits_.backlog) return {};
  return failure(ErrorCode::kLimit, "it does not take its replies: " + std::to_string(backlog) +
                                        " bytes wait, at most " + std::to_string(limits_.backlog));
}

std::string& StoreEngine::reply_to(ClientSlot client) {
  return at(client).is_waiting ? at(client).held : push_to(client);
}

std::string& StoreEngine::push_to(ClientSlot client) {
  if (!std::exchange(at(client).is_ready, true)) ready_.push_back(client);
  return at(client).replies;
}

}  // namespace muster::tcpstore
