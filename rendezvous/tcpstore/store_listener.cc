#include "rendezvous/tcpstore/store_listener.h"

#include <sys/socket.h>

#include <limits>

#include "rendezvous/sockets.h"

namespace muster::tcpstore {

namespace {

constexpr int kBacklog = 65535;      // the kernel takes the smaller of this and somaxconn
constexpr int kKernelsChoices = 64;  // tried until one has a free neighbour

// On all addresses: programs open their own second store there, whatever ours is bound to.
bool next_is_free(std::uint16_t port) {
  if (port == std::numeric_limits<std::uint16_t>::max()) return false;
  return rendezvous::listen_on("", static_cast<std::uint16_t>(port + 1)).has_value();
}

Result<StoreListener> listen_once(std::uint16_t port, const std::string& bind_address) {
  MUSTER_TRY(socket, rendezvous::listen_on(bind_address, port));
  MUSTER_TRY(local, rendezvous::local_address(socket.get()));
  return StoreListener{std::move(socket), rendezvous::port_of(local)};
}

Result<StoreListener> listen_beside_free(std::uint16_t port, const std::string& bind_address) {
  std::vector<StoreListener> unfit;  // kept open, so that the kernel chooses another
  const int tries = port == 0 ? kKernelsChoices : 1;
  for (int i = 0; i < tries; ++i) {
    MUSTER_TRY(listener, listen_once(port, bind_address));
    if (next_is_free(listener.port)) return listener;
    unfit.push_back(std::move(listener));
  }
  return failure(ErrorCode::kUnavailable,
                 "port " + std::to_string(unfit.back().port + 1) + " beside it is taken");
}

}  // namespace

Result<StoreListener> listen_for_clients(const std::vector<std::uint16_t>& ports,
                                         const std::string& bind_address, bool leave_next_free,
                                         Duration lost_after) {
  Error last(ErrorCode::kInvalidArgument, "no port is given");
  for (const std::uint16_t port : ports) {
    Result<StoreListener> listener =
        leave_next_free ? listen_beside_free(port, bind_address) : listen_once(port, bind_address);
    if (!listener) {
      last = listener.error().within("port " + std::to_string(port));
      continue;
    }
    rendezvous::tune_stream(listener->socket.get(), lost_after);
    if (::listen(listener->socket.get(), kBacklog) != 0)
      return failure(system_error("listen", errno));
    return listener;
  }
  const std::string text =
      "none of " + std::to_string(ports.size()) + " ports for the store is free";
  return failure(ports.size() > 1 ? last.within(text + ", the last was")
                                  : last.within("the store"));
}

}  // namespace muster::tcpstore
