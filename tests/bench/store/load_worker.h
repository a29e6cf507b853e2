// One thread's share of the clients, on its own epoll. Each phase is one call that blocks until all
// clients are through it or its deadline has passed.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "rendezvous/base/fd.h"
#include "rendezvous/base/result.h"
#include "rendezvous/base/time.h"
#include "rendezvous/sockets.h"
#include "tests/bench/store/load_options.h"

namespace muster::bench {

class LoadWorker {
 public:
  // The clients first, first + 1, ... first + count - 1 of all `options.clients`.
  static Result<LoadWorker> create(const LoadOptions& options, std::uint32_t first,
                                   std::uint32_t count);

  // Connect, VALIDATE, PING, ADD init/.
  Status connect_all();
  // ADD; the client that comes last SETs; all WAIT.
  Status run_barrier();
  // SET+WAIT+GET in one packet, again and again until `until`; then the last replies are awaited.
  Status run_rounds(TimePoint until);

  std::uint64_t rounds() const { return rounds_; }  // whose reply came before `until`

 private:
  enum class Stage : std::uint8_t { kConnecting, kHandshake, kInit, kAdd, kWait, kRounds, kIdle };

  struct Client {
    Fd socket;
    Stage stage = Stage::kIdle;
    std::uint32_t received = 0;
    std::uint32_t expected = 0;
    std::uint64_t round = 0;
    std::string reply;
    std::string packet;  // of a round; the value begins with the round's number
  };

  LoadWorker(const LoadOptions& options, std::uint32_t first, std::uint32_t count, Fd epoll);

  Status start_connecting_some();
  Status start_client(Client& client, std::uint32_t index);
  Status send(Client& client, std::string_view packet, std::size_t reply, Stage stage);
  Status send_round(Client& client);
  Status exchange(std::uint32_t clients, TimePoint deadline, std::string_view phase);
  Status take_event(Client& client);
  Status finish_connecting(Client& client);
  Status receive(Client& client);
  Status take_reply(Client& client);
  Status take_barrier_count(Client& client);
  Status take_round(Client& client);
  void finish(Client& client);
  Error broken(const Client& client, std::string_view what) const;
  std::uint32_t index_of(const Client& client) const;

  LoadOptions options_;
  Packets packets_;
  rendezvous::SocketAddress server_;
  std::uint32_t first_;
  Fd epoll_;
  std::vector<Client> clients_;
  std::uint32_t started_ = 0;
  std::uint32_t connecting_ = 0;
  std::uint32_t finished_ = 0;  // clients through the present phase
  std::uint64_t rounds_ = 0;
  TimePoint until_;
};

}  // namespace muster::bench
