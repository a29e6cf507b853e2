// CoordinatorHost: gives the pure Coordinator its hands on the lead agent of node 0.
//
// Owns the rendezvous server of the job and, while a check runs, the one of the check gang; turns
// what they report into events and the coordinator's effects into messages, lines and timers.
// Runs on the agent's loop; nothing blocks; callbacks come from the loop.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "launcher/coordinator/coordinator.h"
#include "rendezvous/base/asio.h"
#include "rendezvous/server.h"

namespace muster::launcher {

struct CoordinatorHostOptions {
  rendezvous::ServerOptions server;
  CoordinatorOptions coordinator;
};

class CoordinatorHost {
 public:
  struct Callbacks {
    std::function<void(std::string_view)> print;  // one or more lines, no newline at the end
    // Once; every agent knows the code or is gone. `agent_lost`: at least one is gone.
    std::function<void(int exit_code, bool agent_lost)> finish;
    std::function<void(const std::string&)> report;       // before finish(), see KeepReport
    std::function<void(const bench::Profile&)> baseline;  // before finish(), see KeepBaseline
    // Another agent has the role: the owner destroys this host, later. finish() is not called.
    std::function<void(Generation last)> yielded;
  };

  // Errors: no port of the list is free; no credential service.
  static Result<std::unique_ptr<CoordinatorHost>> open(asio::io_context& loop,
                                                       CoordinatorHostOptions options,
                                                       Callbacks callbacks);
  ~CoordinatorHost();
  CoordinatorHost(const CoordinatorHost&) = delete;
  CoordinatorHost& operator=(const CoordinatorHost&) = delete;

  // For the session of the agent in this process.
  Result<Fd> connect_local();

  // Another coordinator was met; may be answered by yielded().
  void meet_rival(std::uint32_t epoch);

  // Tells every member why and closes; for an end before the roster. finish() is not called.
  void close(std::string_view reason);

 private:
  class Body;
  explicit CoordinatorHost(std::unique_ptr<Body> body);
  std::unique_ptr<Body> body_;
};

}  // namespace muster::launcher
