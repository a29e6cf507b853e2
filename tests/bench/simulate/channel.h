// Channel: what the coordinator's process and a process of agents tell each other. A shell.
//
// One socket pair; both are of one build and one machine, so a step is its plain bytes. The agents'
// half is asynchronous, the reports come back whole.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "rendezvous/base/asio.h"
#include "rendezvous/base/fd.h"
#include "rendezvous/base/time.h"
#include "rendezvous/connection.h"

namespace muster::simulate {

enum class Step : std::uint8_t { kAssemble, kBarrier, kAllGather, kBroadcast, kLeave };

const char* name_of(Step step);

struct Order {
  Step step{};
  std::uint32_t round = 0;
  std::int64_t begun_ns = 0;  // steady clock, the same in all processes of a machine
};

// What one process of agents measured in one step.
struct Measured {
  std::uint32_t failed = 0;       // agents that did not come through
  std::int64_t last_ns = 0;       // when the last one did, after the order's begin
  std::uint32_t cpu_us = 0;       // that the process spent
  std::vector<std::uint32_t> us;  // each agent's time, from its own start
  std::string first_error;
};

std::int64_t now_ns();
double cpu_ms();  // of this process so far

class Channel {
 public:
  using OnBody = std::function<void(std::string_view)>;

  // `on_ended` when the other process is gone.
  Channel(asio::io_context& loop, Fd socket, OnBody on_body, std::function<void()> on_ended);
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  void send(const std::string& body);

 private:
  void on_bytes(std::string_view bytes);

  OnBody on_body_;
  std::string received_;
  std::shared_ptr<rendezvous::Connection> connection_;
};

std::string encode(const Order& order);
Order parse_order(std::string_view body);
std::string encode(const Measured& measured);
Measured parse_measured(std::string_view body);

}  // namespace muster::simulate
