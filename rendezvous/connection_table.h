// ConnectionTable: the connections of one engine by their ids. A shell.
//
// Closing a connection here, by whichever side, forgets it at once: the engine's later words about
// it find nothing and do nothing.
#pragma once

#include <functional>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "rendezvous/base/asio.h"
#include "rendezvous/base/fd.h"
#include "rendezvous/base/ids.h"
#include "rendezvous/connection.h"
#include "rendezvous/messages.h"

namespace muster::rendezvous {

class ConnectionTable {
 public:
  struct Callbacks {
    std::function<void(ConnectionId, std::string_view)> on_bytes;
    std::function<void(ConnectionId, const Ending&)> on_ended;  // forgotten already
  };

  ConnectionTable(asio::io_context& loop, Callbacks callbacks);
  ~ConnectionTable();
  ConnectionTable(const ConnectionTable&) = delete;
  ConnectionTable& operator=(const ConnectionTable&) = delete;

  // Reads from the next turn of the loop on.
  ConnectionId add(Fd socket);
  void send(ConnectionId id, FrameBytes bytes);
  void close_after_flush(ConnectionId id, Duration limit);
  int descriptor(ConnectionId id) const;  // -1 when it is gone
  std::vector<int> descriptors() const;
  std::size_t size() const { return connections_.size(); }

 private:
  void on_ended(ConnectionId id, const Ending& ending);

  asio::io_context& loop_;
  Callbacks callbacks_;
  std::unordered_map<ConnectionId, std::shared_ptr<Connection>> connections_;
  std::uint64_t last_id_ = 0;
};

}  // namespace muster::rendezvous
