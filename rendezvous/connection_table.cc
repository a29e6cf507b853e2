#include "rendezvous/connection_table.h"

namespace muster::rendezvous {

namespace {

// Two of the largest replies: frames are shared by their receivers, so this is not memory per peer.
constexpr std::size_t kWriteCap = 2 * (kMaxReplyBody + kFrameHeaderSize);

}  // namespace

ConnectionTable::ConnectionTable(asio::io_context& loop, Callbacks callbacks)
    : loop_(loop), callbacks_(std::move(callbacks)) {}

ConnectionTable::~ConnectionTable() {
  for (const auto& [id, connection] : connections_) connection->close();
}

ConnectionId ConnectionTable::add(Fd socket) {
  const ConnectionId id{++last_id_};
  const auto connection = Connection::create(loop_, std::move(socket), kWriteCap);
  connections_.emplace(id, connection);
  connection->start([this, id](std::string_view bytes) { callbacks_.on_bytes(id, bytes); },
                    [this, id](const Ending& ending) { on_ended(id, ending); });
  return id;
}

int ConnectionTable::descriptor(ConnectionId id) const {
  const auto found = connections_.find(id);
  return found == connections_.end() ? -1 : found->second->descriptor();
}

std::vector<int> ConnectionTable::descriptors() const {
  std::vector<int> all;
  for (const auto& [id, connection] : connections_) all.push_back(connection->descriptor());
  return all;
}

void ConnectionTable::send(ConnectionId id, FrameBytes bytes) {
  const auto found = connections_.find(id);
  if (found != connections_.end()) found->second->send(std::move(bytes));
}

void ConnectionTable::close_after_flush(ConnectionId id, Duration limit) {
  const auto found = connections_.find(id);
  if (found == connections_.end()) return;
  found->second->close_after_flush(limit);
  connections_.erase(found);
}

void ConnectionTable::on_ended(ConnectionId id, const Ending& ending) {
  connections_.erase(id);
  callbacks_.on_ended(id, ending);
}

}  // namespace muster::rendezvous
