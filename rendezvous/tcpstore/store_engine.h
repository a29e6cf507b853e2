// StoreEngine: one store and its clients: bytes in, bytes out. Pure: no socket, no clock.
//
// The owner tells of connections and their bytes, sends what unsent() holds, and closes whom
// take_closings() names. Replies of one connection keep the order of its requests; STORE.md says
// what an open WAIT does to the requests behind it.
#pragma once

#include <list>
#include <string>
#include <string_view>
#include <vector>

#include "rendezvous/base/result.h"
#include "rendezvous/tcpstore/limits.h"
#include "rendezvous/tcpstore/request_stream.h"
#include "rendezvous/tcpstore/store_table.h"

namespace muster::tcpstore {

struct Closing {
  ClientSlot client{};
  Error why;
};

class StoreEngine {
 public:
  explicit StoreEngine(StoreLimits limits = {}) : limits_(limits), table_(limits) {}

  // A new connection; `client` is a small number that no open connection has.
  void accept(ClientSlot client);
  // Serves all requests that are complete by now. After a breach the connection is among the
  // closings and later bytes of it are ignored.
  void receive(ClientSlot client, std::string_view bytes);
  // The connection is closed, by whomever.
  void disconnect(ClientSlot client);

  // What `client` has to be sent; the view is good until the next call for it.
  std::string_view unsent(ClientSlot client) const;
  void note_sent(ClientSlot client, std::size_t size);

  // Clients that got something to be sent since the last call; added to `clients`, each once.
  void take_ready(std::vector<ClientSlot>& clients);
  std::vector<Closing> take_closings();
  bool has_closings() const { return !closings_.empty(); }

  const StoreTable& table() const { return table_; }
  std::size_t waits() const { return waits_; }
  std::size_t kept(ClientSlot client) const { return at(client).requests.kept(); }
  // Bytes held for `client`, those sent already included.
  std::size_t buffered(ClientSlot client) const { return at(client).replies.size(); }

 private:
  using Node = StoreTable::Node;

  struct Link {
    Node* node = nullptr;  // null when the key has come
    std::list<Waiter>::iterator waiter;
  };
  struct Watch {
    Node* node = nullptr;
    std::list<ClientSlot>::iterator watcher;
  };
  struct Client {
    RequestStream requests;
    std::string replies;
    std::size_t sent = 0;  // of `replies`
    std::string held;      // replies to requests behind an open WAIT
    std::vector<Link> links;
    std::size_t missing = 0;  // keys of the open WAIT that have not come
    std::vector<Watch> watches;
    bool is_open = false;
    bool is_waiting = false;
    bool is_ready = false;   // in ready_
    bool is_doomed = false;  // in closings_
  };

  Client& at(ClientSlot client) { return clients_[static_cast<std::size_t>(client)]; }
  const Client& at(ClientSlot client) const { return clients_[static_cast<std::size_t>(client)]; }
  Status serve_all(ClientSlot client, std::string_view bytes);
  void doom(ClientSlot client, Error why);
  Status check_backlog(const Client& client) const;
  // Where the next reply to `client` is appended.
  std::string& reply_to(ClientSlot client);
  // The same for what is no answer to a request: it does not wait for an open WAIT.
  std::string& push_to(ClientSlot client);

  // store_operations.cc: one for each request.
  struct Server;
  Status set_value(Node& node, std::string_view value);
  Result<std::int64_t> add(Node& node, std::int64_t delta);
  void tell_watchers(const Node& node, std::uint8_t change, std::string_view old_value,
                     std::string_view new_value);
  bool all_present(FieldList keys);

  // store_waits.cc
  Status open_wait(ClientSlot client, FieldList keys);
  Status wait_for(ClientSlot client, Node& node);
  Status begin_wait(ClientSlot client);
  void abandon_wait(ClientSlot client);
  void finish_wait(ClientSlot client);
  bool note_arrival(Waiter waiter);
  void wake_all(Node& node);
  void wake_one(Node& node);

  StoreLimits limits_;
  StoreTable table_;
  std::vector<Client> clients_;
  std::vector<ClientSlot> ready_;
  std::vector<Closing> closings_;
  std::size_t waits_ = 0;
};

}  // namespace muster::tcpstore
