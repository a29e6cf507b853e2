// FloodedServer: a server and its first member in a process of their own, so that a test can limit
// their descriptors and measure their memory and time without its own.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <memory>

#include "tests/rendezvous/shells/meeting.h"

namespace muster::rendezvous {

class FloodedServer {
 public:
  // What the process says when it has its roster.
  struct Report {
    bool assembled = false;
    std::size_t notes = 0;
    bool out_of_descriptors = false;  // was noted
  };

  // Member 0 of `meeting` has joined there when it returns; the process ends with its parent.
  // `descriptors`: how many it may open beyond those it starts with; 0: as many as we.
  static std::unique_ptr<FloodedServer> start(const Meeting& meeting, std::size_t descriptors);
  ~FloodedServer();

  std::uint16_t port() const { return port_; }
  std::size_t resident_bytes() const;
  Duration cpu_time() const;
  // Waits for the roster.
  Report await_report() const;

 private:
  FloodedServer() = default;

  pid_t pid_ = -1;
  Fd from_child_;
  std::uint16_t port_ = 0;
};

}  // namespace muster::rendezvous
