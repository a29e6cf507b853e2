#include "tests/collectives-bench/socket_exchange.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "collectives-bench/agreement.h"
#include "rendezvous/base/bytes.h"

namespace muster::bench::testing {

namespace {

Result<std::string> read_bytes(int socket, std::size_t size, TimePoint deadline) {
  std::string bytes(size, '\0');
  for (std::size_t have = 0; have < size;) {
    pollfd waiting{socket, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(time_left(deadline).count()));
    if (ready == 0) return failure(ErrorCode::kTimeout, "exchange: the others did not come");
    const auto count = ::recv(socket, bytes.data() + have, size - have, 0);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) return failure(ErrorCode::kUnavailable, "exchange: the hub is gone");
    have += static_cast<std::size_t>(count);
  }
  return bytes;
}

}  // namespace

Status write_frame(int socket, std::string_view bytes) {
  const std::string frame = ByteWriter().string(bytes).take();
  for (std::size_t sent = 0; sent < frame.size();) {
    const auto count = ::send(socket, frame.data() + sent, frame.size() - sent, MSG_NOSIGNAL);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failure(system_error("exchange: send", errno));
    sent += static_cast<std::size_t>(count);
  }
  return {};
}

Result<std::string> read_frame(int socket, TimePoint deadline) {
  MUSTER_TRY(head, read_bytes(socket, 4, deadline));
  return read_bytes(socket, ByteReader(head).u32(), deadline);
}

Result<std::vector<std::string>> SocketExchange::all_gather(std::string bytes, Duration timeout) {
  MUSTER_RETURN_IF_ERROR(write_frame(socket_.get(), bytes));
  MUSTER_TRY(answer, read_frame(socket_.get(), Clock::now() + timeout));
  ByteReader reader(answer);
  std::vector<std::string> all;
  for (std::size_t rank = 0; rank < size_; ++rank) all.emplace_back(reader.string(1u << 20));
  MUSTER_RETURN_IF_ERROR(reader.finish("answer of the hub"));
  return all;
}

Result<std::string> SocketExchange::broadcast(std::size_t root, std::string bytes,
                                              Duration timeout) {
  MUSTER_TRY(all, all_gather(rank_ == root ? std::move(bytes) : std::string(), timeout));
  return all[root];
}

Status SocketExchange::barrier(Duration timeout) {
  MUSTER_RETURN_IF_ERROR(all_gather("", timeout));
  return {};
}

}  // namespace muster::bench::testing
