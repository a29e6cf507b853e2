// Crowd: many agents in one process, each a real Session over a socket of its own, on one loop.
//
// Does what the coordinator's process orders and reports how long each agent needed. A shell.
#pragma once

#include <memory>
#include <random>
#include <vector>

#include "rendezvous/session.h"
#include "rendezvous/sidecar_pool.h"
#include "rendezvous/timer.h"
#include "tests/bench/simulate/channel.h"
#include "tests/bench/simulate/options.h"

namespace muster::simulate {

// What all processes know before they part.
struct Meeting {
  Options options;
  rendezvous::Incarnation incarnation;
  std::vector<std::uint16_t> ports;
  rendezvous::Authentication authentication;
  std::vector<rendezvous::ExpectedMember> expected;
};

class Crowd {
 public:
  // The agents first <= i < end of the meeting.
  Crowd(const Meeting& meeting, std::uint32_t first, std::uint32_t end, Fd channel);
  ~Crowd();
  Crowd(const Crowd&) = delete;
  Crowd& operator=(const Crowd&) = delete;

  void run();  // until the other end of the channel closes

 private:
  class Agent;

  void carry_out(const Order& order);
  void start_agents();
  void start_collective(Agent& agent, const std::string& name);
  void leave_all();
  void on_through(const Status& status, std::int64_t began_ns);
  rendezvous::SessionOptions session_options(std::uint32_t member) const;

  asio::io_context loop_{1};
  const Meeting& meeting_;
  std::uint32_t first_;
  std::minstd_rand random_;
  Channel channel_;
  Order order_;
  Measured measured_;
  double cpu_before_ms_ = 0;
  rendezvous::SidecarPool helpers_;
  std::vector<std::unique_ptr<Agent>> agents_;
};

}  // namespace muster::simulate
